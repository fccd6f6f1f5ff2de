"""Arithmetic over lengths of time, as in `x[step() * 2]`; all in seconds."""

from __future__ import annotations

import math

from sentinel.promql.ast import DurationExpr, Length


def fold(op: str, *args: float | DurationExpr) -> float | DurationExpr:
    """Compute where every part is known, else build the node.

    Raises:
        ValueError: a division by zero.
    """
    known = [arg for arg in args if not isinstance(arg, DurationExpr)]
    return _compute(op, *known) if len(known) == len(args) else DurationExpr(op, args)


def resolve_ms(length: Length, step_ms: int, range_ms: int) -> int:
    """Return the milliseconds of a length in a query with this step and range.

    Raises:
        ValueError: a division by zero, or a result that is out of bounds.
    """
    if isinstance(length, int):
        return length
    seconds = _value(length, step_ms / 1000, range_ms / 1000)
    if not math.isfinite(seconds) or abs(seconds) > 9.2e9:
        raise ValueError("the duration is out of bounds")
    return round(seconds * 1000)


def _value(node: DurationExpr | float, step: float, span: float) -> float:
    if not isinstance(node, DurationExpr):
        return node
    if node.op == "step":
        return step
    if node.op == "range":
        return span
    return _compute(node.op, *(_value(arg, step, span) for arg in node.args))


def _compute(op: str, a: float, b: float = 0.0) -> float:
    match op:
        case "neg":
            return -a
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/" | "%" if b == 0:
            raise ValueError("a duration is divided by zero")
        case "/":
            return a / b
        case "%":
            return math.fmod(a, b) if math.isfinite(a) else math.nan
        case "^":
            return _power(a, b)
        case "min_of":
            return min(a, b)
        case _:
            return max(a, b)


def _power(a: float, b: float) -> float:
    try:
        result = a**b
    except (OverflowError, ZeroDivisionError):
        return math.inf
    return math.nan if isinstance(result, complex) else result
