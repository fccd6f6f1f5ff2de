"""promql/quantile: a quantile should lie between 0 and 1.

Why
    PromQL's quantiles are shares: the 95th percentile is 0.95. With 95 the outcome is infinite, and so above every
    threshold.

Bad
    - alert: Slow
      expr: histogram_quantile(95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 1
      labels: {severity: warning}

Good
    - alert: Slow
      expr: histogram_quantile(0.95, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 1
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Expr, Number, Unary
from sentinel.promql.check import unwrap

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag numbers outside of 0 to 1 where a quantile is meant."""
    for query in rule.queries:
        shares = [call.args[0] for call in query.calls if call.function in ("histogram_quantile", "quantile_over_time")]
        shares += [node.param for node in query.aggregates if node.op == "quantile" and node.param]
        for share in shares:
            value = _number(share)
            if value is not None and not 0 <= value <= 1:
                percent = f"write {value / 100:g}" if 1 < value <= 100 else "write a number from 0 to 1"
                says = f"{query.written(share)} is no share: a quantile lies between 0 and 1"
                edit = query.edit(share.start, share.end, f"{value / 100:g}") if 1 < value <= 100 else None
                yield Flaw(query.at(share), says, percent, edit)


def _number(expr: Expr) -> float | None:
    match unwrap(expr):
        case Number(value=value):
            return value
        case Unary(op="-", expr=Number(value=value)):
            return -value
        case _:
            return None
