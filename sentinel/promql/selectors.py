"""Parsing selectors: matchers, ranges, subqueries, `offset`, `@`, `anchored`."""

from __future__ import annotations

import re
from dataclasses import replace

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.core.regex import compile_pattern
from sentinel.promql.ast import Expr, Length, MatrixSelector, Subquery, ValueType, VectorSelector
from sentinel.promql.lengths import LengthParser
from sentinel.promql.lexer import Kind, Token
from sentinel.promql.mistakes import operator_meant, pattern_meant
from sentinel.promql.signatures import ANCHORED

_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_EQUAL, _PATTERNS = MatchOp.EQUAL, frozenset({MatchOp.REGEX, MatchOp.NOT_REGEX})
#: Patterns that cannot be wrong: words, any characters, and choices of these. Most rule files are read without RE2.
_PLAIN_PATTERN = re.compile(r"(?:[\w:/ -]|\.[*+]?|\|)*", re.ASCII)


def valid_label(name: str) -> bool:
    """Say whether this may name a label: any UTF-8 text that is not empty."""
    return bool(name) and not any(0xD800 <= ord(char) < 0xE000 for char in name)


class SelectorParser(LengthParser):
    """Everything that begins with a metric's name or a brace, and what may follow an operand."""

    def vector_selector(self) -> VectorSelector:
        """Parse `name{a="b"}`, `name` or `{a="b"}`."""
        first, matchers = self.peek, []
        if first.kind is Kind.WORD:
            self.next()
            matchers.append(Matcher(NAME, _EQUAL, first.text))
        if self.sees("{"):
            self.braces(matchers)
        if first.kind is not Kind.WORD and all(matcher.matches("") for matcher in matchers):
            raise QueryInvalid(
                "a selector needs at least one matcher that does not match the empty string",
                first.start,
                self.last_end,
                'name a metric, or write {job=~".+"}',
            )
        return VectorSelector(tuple(matchers), start=first.start, end=self.last_end)

    def braces(self, matchers: list[Matcher]) -> None:
        """Parse `{a="b", c=~"d"}` and add what is found."""
        self.expect("{")
        while not self.sees("}"):
            self._matcher(matchers)
            if not self.sees(","):
                break
            self.next()
        if self.peek.word == "or":
            raise self.wrong("`or` between matchers is not PromQL", self.peek, 'use a regular expression: {a=~"b|c"}')
        self.expect("}", "close the braces before it" if self.sees("[", ")") else 'write "," between matchers')

    def _matcher(self, matchers: list[Matcher]) -> None:
        token = self.peek
        if token.kind not in (Kind.WORD, Kind.STRING):
            fix = f"a range stands in square brackets: [{token.text}]" if token.kind is Kind.DURATION else ""
            raise self.wrong(f"expected the name of a label, found {token}", token, fix)
        self.next()
        name = token.text if token.kind is Kind.WORD else self.text_of(token)
        if token.kind is Kind.STRING and self.sees(",", "}"):
            if any(matcher.name == NAME for matcher in matchers):
                raise self.wrong("the metric's name is given twice", token)
            matchers.append(Matcher(NAME, _EQUAL, name))
            return
        if not (_LABEL.fullmatch(name) or (token.kind is Kind.STRING and valid_label(name))):
            fix = f'write {name.rstrip(":")}="…"' if name.endswith(":") else ""
            raise self.wrong(f"{name!r} is not the name of a label", token, fix)
        if not self.sees("=", "!=", "=~", "!~"):
            fix = operator_meant(self.peek.word or self.peek.text, name)
            raise self.wrong(f"expected =, !=, =~ or !~ after the label {name}, found {self.peek}", self.peek, fix)
        op = MatchOp(self.next().text)
        value = self.peek
        if value.kind is not Kind.STRING:
            raise self.wrong(f"expected a quoted value for the label {name}, found {value}", value, "put it in quotes")
        self.next()
        text = self.text_of(value)
        if name == NAME and op is _EQUAL and any(m.name == NAME and m.op is _EQUAL for m in matchers):
            raise self.wrong("the metric's name is given twice", token)
        if op in _PATTERNS and not _PLAIN_PATTERN.fullmatch(text):
            try:
                compile_pattern(text)
            except ValueError as exc:
                raise self.wrong(f"not a regular expression: {exc}", value, pattern_meant(text)) from None
        matchers.append(Matcher(name, op, text))

    def label_list(self) -> tuple[str, ...]:
        """Parse `(a, b)` after `by`, `on` and the like."""
        self.expect("(", f"write ({self.peek.text})" if self.peek.kind is Kind.WORD else "")
        names: list[str] = []
        while not self.sees(")"):
            token = self.peek
            name = self.text_of(token) if token.kind is Kind.STRING else token.text
            if not (_LABEL.fullmatch(name) or (token.kind is Kind.STRING and valid_label(name))):
                raise self.wrong(f"expected the name of a label, found {token}", token)
            self.next()
            names.append(name)
            if not self.sees(","):
                break
            self.next()
        between = (
            "a label's name has letters, digits and _ only" if self.sees("-") else "close the list of labels with )"
        )
        self.expect(")", between)
        return tuple(names)

    def brackets(self, expr: Expr) -> Expr:
        """Parse `[5m]` or `[1h:1m]` after an expression."""
        opening = self.expect("[")
        length = self.length()
        if self.sees(":"):
            self.next()
            step = None if self.sees("]") else self.length()
            closing = self.expect("]")
            if expr.type != ValueType.VECTOR:
                raise QueryInvalid(
                    f"a subquery needs an instant vector, not a {expr.type.words}",
                    expr.start,
                    expr.end,
                    "" if expr.type != ValueType.SCALAR else "write vector(…) around it",
                )
            return Subquery(expr, length, step, start=expr.start, end=closing.end)
        closing = self.expect(
            "]", "write a duration without a space" if self.peek.kind is Kind.WORD else "close the range with ]"
        )
        if not isinstance(expr, VectorSelector):
            raise QueryInvalid(
                "a range such as [5m] may only follow a selector",
                opening.start,
                closing.end,
                "for a window over an expression write a subquery: [5m:]",
            )
        if expr.offset or expr.at is not None:
            raise QueryInvalid(
                "the range comes before `offset` and `@`", opening.start, closing.end, "write x[5m] offset 1h"
            )
        return MatrixSelector(expr, length, start=expr.start, end=closing.end)

    def offset(self, expr: Expr) -> Expr:
        """Parse `offset 5m` after a selector or a subquery."""
        word = self.next()
        length = self.signed_length()
        selector = _bearer(expr, "offset", word)
        if selector.offset:
            raise self.wrong("offset is given twice", word)
        return self._changed(expr, offset=length)

    def at_modifier(self, expr: Expr) -> Expr:
        """Parse `@ 1609746000`, `@ start()` or `@ end()`."""
        sign = self.next()
        at: int | str
        if word := self.take_word("start", "end"):
            at = word.word
            self.expect("(")
            self.expect(")")
        else:
            seconds = self.signed_number()
            if not abs(seconds) < 9.2e15:
                raise self.wrong("the time after @ is out of bounds", sign)
            at = round(seconds * 1000)
        if _bearer(expr, "@", sign).at is not None:
            raise self.wrong("@ is given twice", sign)
        return self._changed(expr, at=at)

    def extended(self, expr: Expr) -> Expr:
        """Parse `anchored`; `smoothed` is refused."""
        word = self.next()
        if word.word == "smoothed":
            raise self.wrong("`smoothed` is not supported yet", word, "use `anchored`, or leave it out")
        if not isinstance(expr, MatrixSelector):
            raise self.wrong(
                "`anchored` may only follow a range selector, such as x[5m]", word, f"use it in {ANCHORED[2]}()"
            )
        return replace(expr, anchored=True, end=word.end)

    def _changed(self, expr: Expr, **modifier: Length | str) -> Expr:
        """Return the expression with `offset` or `at` set; that of a range selector sits on its vector selector."""
        if isinstance(expr, MatrixSelector):
            return replace(expr, selector=replace(expr.selector, **modifier), end=self.last_end)  # type: ignore[arg-type]
        assert isinstance(expr, (VectorSelector, Subquery))
        return replace(expr, end=self.last_end, **modifier)  # type: ignore[arg-type]


def _bearer(expr: Expr, modifier: str, token: Token) -> VectorSelector | Subquery:
    """Return the node that carries `offset` and `@`.

    Raises:
        QueryInvalid: they mean nothing behind this expression.
    """
    if isinstance(expr, MatrixSelector):
        return expr.selector
    if isinstance(expr, (VectorSelector, Subquery)):
        return expr
    raise QueryInvalid(
        f"`{modifier}` may only follow a selector or a subquery",
        token.start,
        token.end,
        "write it directly behind the selector, inside of the function",
    )
