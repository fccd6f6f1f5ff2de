"""Compose: PromQL put together from trees that are read already; the same as the parser makes of its text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sentinel.promql import Aggregate, Binary, Call, Expr, MatrixSelector, Number, Operator, VectorSelector
from sentinel.promql.check import check_binary
from sentinel.rules.form import Fault, RuleInvalid

_MILLISECOND = timedelta(milliseconds=1)


def growth(of: VectorSelector, over: timedelta) -> Expr:
    """Return `increase(of[over] anchored)`: what each counter grew by in a window, counted exactly."""
    return Call("increase", (MatrixSelector(of, milliseconds(over), anchored=True),))


def over_time(function: str, of: VectorSelector, over: timedelta, *before: float) -> Expr:
    """Return `function(before, of[over])`."""
    return Call(function, (*map(Number, before), MatrixSelector(of, milliseconds(over))))


def aggregated(op: str, expr: Expr, by: Sequence[str]) -> Expr:
    """Return `op by (by) (expr)`: one element for each group, or one for all where `by` is empty."""
    return Aggregate(op, expr, grouping=tuple(by))


def joined(lhs: Expr, op: Operator, rhs: Expr) -> Expr:
    """Return `lhs op rhs`; a side that binds looser is handed in as a `Paren`."""
    return check_binary(Binary(op, lhs, rhs), 0, 0)


def milliseconds(length: timedelta, key: str = "over") -> int:
    """Return a length of time as PromQL's trees hold it.

    Raises:
        RuleInvalid: it is finer; the fault is at the key that says it.
    """
    count, rest = divmod(length, _MILLISECOND)
    if rest:
        raise RuleInvalid([Fault((key,), "is finer than a millisecond", "write 1ms or more")])
    return count
