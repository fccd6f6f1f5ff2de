"""expr: any PromQL.

Value
    What the expression returns, one element for each label set.

In YAML
    rules:
      events-lost:
        expr: sum by (channel) (accepted_total offset 1m) - sum by (channel) (published_total)
        above: 0
        for: 2m
        severity: critical
      queue-stuck:
        expr: queue_depth > 100 and rate(processed_total[5m]) == 0
        severity: error

Compiles to
    itself. Where the rule names no threshold and a comparison with a number stands at the top, that is taken as the
    threshold: of `expr: queue_depth > 100` the value is `queue_depth`, and `recover: 80` may stand beside it.

Edges
    Without any threshold each element returned is an alert, as in Prometheus. An expression that returns nothing while
    the probes behind it are well is simply not the case; while one of them fails, the state is held. A threshold is a
    number in the expression's own unit, or 5% (0.05), 50ms (0.05), 2GB (2000000000).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from math import isfinite
from typing import ClassVar

from pydantic import Field

from sentinel.core.quantity import Quantity, Unit, format_value, parse_quantity
from sentinel.promql import Binary, Expr, Matching, Number, Operator, Paren, Unary, ValueType, reads
from sentinel.promql.check import misfit_of_rule
from sentinel.rules.form import Compiled, Fault, Form, RuleInvalid, Setting, expression
from sentinel.rules.threshold import Level, Threshold

#: What each comparison means once the number stands on its right.
_ABOVE = (Operator.GREATER, Operator.GREATER_EQUAL)
_BELOW = (Operator.LESS, Operator.LESS_EQUAL)
_TURNED = {
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_EQUAL: Operator.LESS_EQUAL,
    Operator.LESS: Operator.GREATER,
    Operator.LESS_EQUAL: Operator.GREATER_EQUAL,
}


class ExprForm(Form):
    """Any PromQL expression."""

    SHORT: ClassVar[str | None] = "query"

    query: str = Field(description="PromQL.")

    def compile(self, setting: Setting) -> Compiled:
        """Parse, and take a comparison with a number at the top as the threshold."""
        found = expression(self.query, "query")
        if misfit := misfit_of_rule(found):
            raise RuleInvalid([Fault(("query",), *misfit)])
        return compile_query(found, self.query, setting)

    def tell(self, why: str, parts: Mapping[str, float], limit: Quantity | None) -> str:
        """Add what it was compared with, where one vector is compared with another."""
        return " ".join([why, *(f"{sign} {format_value(part)}" for sign, part in parts.items())])


def compile_query(found: Expr, text: str, setting: Setting) -> Compiled:
    """Take a comparison with a number at the top of an expression as the threshold, unless there is one.

    Args:
        found: the expression; what it gives fits a rule.
        text: that it was parsed from.
        setting: whether the rule has a threshold of its own.
    """
    thresholds: dict[Level, Threshold] = {}
    bare = not (setting.above or setting.below)
    if bare and (split := _comparison(found, text)):
        found, thresholds[None] = split
    return Compiled(
        found,
        unit=None,
        window=max((read.window for read in reads(found)), default=timedelta()),
        parts=dict(_compared(found)) if bare and not thresholds else {},
        thresholds=thresholds,
        empty_is_over=True,
        loose=True,
    )


def _compared(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """Return the sign and the right side of a comparison at the top whose sides have the labels of its elements."""
    while isinstance(expr, Paren):
        expr = expr.expr
    if isinstance(expr, Binary) and expr.op.compares and not expr.return_bool and expr.matching == Matching():
        yield str(expr.op), expr.rhs


def _comparison(expr: Expr, text: str) -> tuple[Expr, Threshold] | None:
    """Part a comparison with a number at the top into what is compared and the threshold."""
    while isinstance(expr, Paren):
        expr = expr.expr
    if not isinstance(expr, Binary) or expr.return_bool or expr.op not in _TURNED:
        return None
    op, value, limit = expr.op, expr.lhs, _number(expr.rhs, text)
    if limit is None:
        op, value, limit = _TURNED[op], expr.rhs, _number(expr.lhs, text)
    if limit is None or value.type != ValueType.VECTOR:
        return None
    inclusive = op in (Operator.GREATER_EQUAL, Operator.LESS_EQUAL)
    if op in _ABOVE:
        return value, Threshold(above=limit, inclusive=inclusive)
    assert op in _BELOW
    return value, Threshold(below=limit, inclusive=inclusive)


def _number(expr: Expr, text: str) -> Quantity | None:
    match expr:
        case Number(value=value):
            return _quantity(value, text[expr.start : expr.end])
        case Unary(op="-", expr=Number(value=value)):
            return _quantity(-value, text[expr.start : expr.end])
        case Paren(expr=inner):
            return _number(inner, text)
        case _:
            return None


def _quantity(value: float, text: str) -> Quantity | None:
    """Return a threshold as it was written, or plainly where only PromQL writes numbers so: `0x1F`, `1_000`."""
    if not isfinite(value):
        return None
    try:
        parse_quantity(text)
    except ValueError:
        text = f"{value:.15g}"
    return Quantity(value, Unit.NUMBER, text)
