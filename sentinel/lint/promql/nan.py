"""promql/nan: a quotient should not be added up where its divisor can be 0.

Why
    0 / 0 is NaN, and whatever is added to NaN is NaN: one idle instance makes the sum of all of them nothing that
    compares, so the alert is silent while the others burn.

Bad
    - alert: Errors
      expr: sum(rate(errors_total[5m]) / rate(requests_total[5m])) > 0.05
      labels: {severity: warning}

Good
    - alert: Errors
      expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import reach
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Binary, Expr, Number, Operator, Paren, Unary, ValueType
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_SPOILED = frozenset({"sum", "avg", "stddev", "stdvar", "quantile"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag aggregations of quotients of vectors, unless what is divided by is above 0."""
    for query in rule.queries:
        for division in query.binaries:
            if division.op is Operator.DIV and isinstance(by := unwrap(division.rhs), Number) and by.value == 0:
                says = f"{query.written(division.lhs)} is divided by 0: the quotient is infinite, or NaN"
                yield Flaw(query.at(division), says, "divide by another number")
        for node in query.aggregates:
            if node.op in _SPOILED and (quotient := _quotient(node.expr)):
                says = f"where {query.written(quotient.rhs)} is 0 the quotient is NaN, and so is its {node.op}"
                fix = "add up first and divide then, or divide by (… > 0)"
                yield Flaw(query.at(quotient), says, fix)


def _quotient(expr: Expr) -> Binary | None:
    """Return the division whose NaN would reach the aggregation."""
    match expr:
        case Paren(expr=inner) | Unary(expr=inner):
            return _quotient(inner)
        case Binary(op=Operator.DIV) if expr.lhs.type is ValueType.VECTOR and expr.rhs.type is ValueType.VECTOR:
            return None if _is_never_zero(expr.rhs) else expr
        case Binary(op=op, return_bool=False) if op.compares:
            return None
        case Binary(op=op) if not op.sets:
            return _quotient(expr.lhs) or _quotient(expr.rhs)
        case _:
            return None


def _is_never_zero(expr: Expr) -> bool:
    match expr:
        case Paren(expr=inner):
            return _is_never_zero(inner)
        case Binary(op=op):
            return op.compares and not expr.return_bool
        case _:
            return reach(expr).least > 0
