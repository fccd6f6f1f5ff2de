"""promql/rate-of-sum: counters should be counted first and added up then.

Why
    In a sum of counters the restart of one is a small fall, which rate() takes for a restart of them all: it counts the
    whole sum anew, a spike that never was.

Bad
    - alert: Errors
      expr: rate(sum(http_errors_total)[5m:]) > 1
      labels: {severity: warning}

Good
    - alert: Errors
      expr: sum(rate(http_errors_total[5m])) > 1
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Aggregate, Binary, Expr, Subquery, Unary, VectorSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_COUNTING = frozenset({"rate", "increase", "irate"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag counting over a subquery that adds up or calculates what was not counted before."""
    for query in rule.queries:
        if not query.subqueries:
            continue
        for call in query.calls:
            window = unwrap(call.args[0]) if call.args else None
            if call.function in _COUNTING and isinstance(window, Subquery) and _adds(window.expr):
                says = (
                    f"{call.function}() of {query.written(window.expr)}: a restart of one counter looks like one of all"
                )
                yield Flaw(query.at(call), says, f"count first: sum({call.function}(…[5m]))")


def _adds(expr: Expr) -> bool:
    """Say whether plain series are added up, or calculated with."""
    match unwrap(expr):
        case Aggregate(expr=inner) | Unary(expr=inner):
            return isinstance(unwrap(inner), VectorSelector) or _adds(inner)
        case Binary(lhs=lhs, rhs=rhs):
            return any(isinstance(unwrap(side), VectorSelector) or _adds(side) for side in (lhs, rhs))
        case _:
            return False
