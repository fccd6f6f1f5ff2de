"""promql/counter: a counter should be counted before it is compared.

Why
    A counter only grows until its process starts anew: what it shows is how long ago that was. A comparison of it fires
    some day whatever happens, and falls silent with the next deployment.

Bad
    - alert: Errors
      expr: http_errors_total > 100
      labels: {severity: warning}

Bad too
    sum(http_errors_total) / sum(http_requests_total) > 0.05

Good
    - alert: Errors
      expr: increase(http_errors_total[5m]) > 100
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Operator,
    Subquery,
    VectorSelector,
)
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_COUNTERS = ("_total", "_bucket")
#: What asks whether a counter is there, when, or how often, and not how far it is.
_ASKING = frozenset({"absent", "timestamp", "histogram_quantile", "histogram_fraction"})
_NUMBERING = frozenset({"count", "count_values", "group"})
_NEWEST = frozenset({"last", "average", "minimum", "maximum"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a counter whose value itself is compared; a difference of two is counted by hand, and so is left alone."""
    if not rule.alerts:
        return
    for query in rule.queries:
        for selector in query.selectors:
            if selector.name.endswith(_COUNTERS) and (_is_compared(query, selector) or rule.form in _NEWEST):
                says = f"{selector.name} is a counter: its value grows for as long as its process runs"
                yield Flaw(query.at(selector), says, _fix(rule, query, selector))


def _fix(rule: RuleView, query: Query, selector: VectorSelector) -> str:
    if rule.form in _NEWEST:
        return "use `increase` or `rate`, which count"
    return f"count it: increase({query.written(selector)}[5m])"


def _is_compared(query: Query, selector: VectorSelector) -> bool:
    """Say whether the value of a selector reaches a comparison as it is."""
    below: Expr = selector
    while (node := query.above(below)) is not None:
        match node:
            case MatrixSelector() | Subquery():
                return False
            case Call(function=function) if function in _ASKING:
                return False
            case Aggregate(op=op) if op in _NUMBERING:
                return False
            case Binary(op=Operator.SUB):
                return False
            case Binary(op=op) if op.sets and below is node.rhs:
                return False
            case Binary(op=op) if op.compares:
                return not _asks_whether_any(node, below)
        below = node
    return False


def _asks_whether_any(node: Binary, side: Expr) -> bool:
    """Say whether a comparison asks only whether there ever was one, or whether two counters are equal."""
    other = unwrap(node.rhs if side is node.lhs else node.lhs)
    if not isinstance(other, Number):
        return True
    never = node.op is Operator.LESS and side is node.lhs  # which is said of it
    return other.value == 0 and (never or node.op in (Operator.EQUAL, Operator.NOT_EQUAL))
