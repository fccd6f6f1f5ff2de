"""promql/averaged-quantile: quantiles should not be averaged or added up.

Why
    The average of two instances' 99th percentiles is no percentile of anything: an idle instance halves it. Only
    buckets can be added up, and the quantile taken of the sum.

Bad
    - alert: Slow
      expr: avg(http_request_duration_seconds{quantile="0.99"}) > 1
      labels: {severity: warning}

Bad too
    avg(histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m]))) > 1

Good
    - alert: Slow
      expr: max by (job) (http_request_duration_seconds{quantile="0.99"}) > 1
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.labels import MatchOp
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Call, Expr, VectorSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag avg and sum of what is a quantile already."""
    for query in rule.queries:
        for node in query.aggregates:
            if node.op in ("avg", "sum") and _is_quantile(node.expr):
                says = f"the {node.op} of quantiles is no quantile"
                yield Flaw(query.at(node), says, "take the greatest with max, or the quantile of summed buckets")


def _is_quantile(expr: Expr) -> bool:
    match unwrap(expr):
        case VectorSelector(matchers=matchers):
            return any(one.name == "quantile" and one.op is MatchOp.EQUAL and one.value for one in matchers)
        case Call(function=function):
            return function == "histogram_quantile"
        case _:
            return False
