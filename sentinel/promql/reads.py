"""Which samples an expression reads: what decides when a rule is due, and how much history it needs."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

from sentinel.core.labels import Matcher
from sentinel.promql.ast import Expr, Length, MatrixSelector, Subquery, VectorSelector
from sentinel.promql.duration import resolve_ms


class Read(NamedTuple):
    """One selector of an expression.

    Args:
        matchers: which series it reads.
        window: how far back from the evaluation it looks; 0 for a plain instant selector, whose lookback is the
            store's to know. A fixed `@` counts as the evaluation.
    """

    matchers: tuple[Matcher, ...]
    window: timedelta


def reads(expr: Expr) -> tuple[Read, ...]:
    """Return every selector of an expression, in the order in which they are written."""
    return tuple(_reads(expr, 0))


def _reads(expr: Expr, back_ms: int) -> list[Read]:
    match expr:
        case VectorSelector():
            return [Read(expr.matchers, timedelta(milliseconds=max(0, back_ms + _ms(expr.offset))))]
        case MatrixSelector(selector=selector, range=length):
            return _reads(selector, back_ms + _ms(length))
        case Subquery():
            return _reads(expr.expr, back_ms + _ms(expr.range) + _ms(expr.offset))
        case _:
            return [read for child in expr.children for read in _reads(child, back_ms)]


def _ms(length: Length) -> int:
    # A rule is an instant query, in which step() and range() are 0.
    try:
        return resolve_ms(length, 0, 0)
    except ValueError:
        return 0
