"""Parsing lengths of time: `5m`, and arithmetic such as `step() * 2 + 30s`."""

from __future__ import annotations

import math

from sentinel.core.errors import QueryInvalid
from sentinel.promql.ast import DurationExpr, Length
from sentinel.promql.cursor import Cursor
from sentinel.promql.duration import fold
from sentinel.promql.lexer import Kind, Token

_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "^": 3}
_UNARY = 2
_DEEPEST = 64


class LengthParser(Cursor):
    """What may stand in square brackets and behind `offset`."""

    def __init__(self, found: list[Token]) -> None:
        super().__init__(found)
        self._nested = 0

    def length(self) -> Length:
        """Parse what stands in brackets: a duration, or arithmetic over durations; it must be positive."""
        first = self.peek
        length = _milliseconds(self._arithmetic(0), first.start, self.last_end)
        if isinstance(length, int) and length <= 0:
            raise QueryInvalid("a duration must be greater than 0", first.start, self.last_end)
        return length

    def signed_length(self) -> Length:
        """Parse what follows `offset`: one operand with an optional sign; more must stand in parentheses."""
        first = self.peek
        if self.sees("+", "-"):
            sign = self.next().text
            operand = self._operand()
            value = operand if sign == "+" else fold("neg", operand)
        else:
            value = self._operand()
        return _milliseconds(value, first.start, self.last_end)

    def _arithmetic(self, floor: int) -> float | DurationExpr:
        self._nested += 1
        if self._nested > _DEEPEST:
            raise self.wrong("the duration is nested too deeply", self.peek)
        left = self._signed()
        while self.peek.kind is Kind.SIGN and (precedence := _PRECEDENCE.get(self.peek.text, 0)) > floor:
            op = self.next()
            right = self._arithmetic(precedence - 1 if op.text == "^" else precedence)
            left = self._folded(op, left, right)
        self._nested -= 1
        return left

    def _signed(self) -> float | DurationExpr:
        if self.sees("+", "-"):
            sign = self.next()
            operand = self._arithmetic(_UNARY)
            return operand if sign.text == "+" else self._folded(sign, operand)
        return self._operand()

    def _operand(self) -> float | DurationExpr:
        token = self.next()
        if token.kind is Kind.NUMBER:
            return self.number_of(token)
        if token.kind is Kind.DURATION:
            return self.seconds_of(token)
        if token.kind is Kind.SIGN and token.text == "(":
            value = self._arithmetic(0)
            self.expect(")")
            return value
        if token.word in ("step", "range"):
            self.expect("(")
            self.expect(")")
            return DurationExpr(token.word)
        if token.word in ("min_of", "max_of", "min", "max"):
            self.expect("(")
            left = self._arithmetic(0)
            self.expect(",")
            right = self._arithmetic(0)
            self.expect(")")
            return fold(token.word.removesuffix("_of") + "_of", left, right)
        raise self.wrong(f"expected a duration, found {token}", token, "durations are written 30s, 5m, 1h30m, 7d")

    def _folded(self, op: Token, *args: float | DurationExpr) -> float | DurationExpr:
        try:
            return fold(op.text if len(args) == 2 else "neg", *args)
        except ValueError as exc:
            raise self.wrong(str(exc), op) from None


def _milliseconds(value: float | DurationExpr, start: int, end: int) -> Length:
    if isinstance(value, DurationExpr):
        return value
    if not math.isfinite(value) or abs(value) > 9.2e9:
        raise QueryInvalid("the duration is longer than 292 years", start, end)
    return round(value * 1000)
