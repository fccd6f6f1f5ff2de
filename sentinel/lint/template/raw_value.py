"""template/raw-value: a number in a message should be written for people.

Why
    A share that was computed is written as 0.052341234123: whoever is woken counts digits. `humanizePercentage`,
    `humanizeDuration` and `humanize1024` write 5.234%, 1m 30s and 1.5Gi.

Bad
    - alert: Errors
      expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05
      labels: {severity: warning}
      annotations: {summary: "{{ $value }} of requests fail"}

Good
    - alert: Errors
      expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05
      labels: {severity: warning}
      annotations: {summary: "{{ $value | humanizePercentage }} of requests fail"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.INFO

_RAW = re.compile(r"\{\{-?\s*(\$value)\s*-?\}\}")
_UNEVEN = frozenset(
    {"rate", "irate", "deriv", "predict_linear", "histogram_quantile", "avg_over_time", "stddev_over_time"}
)


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag `$value` as it is where the expression divides or takes a rate."""
    if rule.kind == "rule":
        return
    for written in rule.templates:
        if not written.names_alert and (found := _RAW.search(written.text)) and _is_uneven(rule):
            yield Flaw(written.at(*found.span(1)), "$value has as many digits as there are", _fix(rule))


def _is_uneven(rule: RuleView) -> bool:
    query = rule.whole
    return query is not None and (
        any(call.function in _UNEVEN for call in query.calls)
        or any(node.op == "/" for node in query.binaries)
        or any(node.op == "avg" for node in query.aggregates)
    )


def _fix(rule: RuleView) -> str:
    names = {selector.name for query in rule.queries for selector in query.selectors}
    if any("_seconds" in name for name in names):
        return "write {{ $value | humanizeDuration }}"
    if any("_bytes" in name for name in names):
        return "write {{ $value | humanize1024 }}"
    return "write {{ $value | humanizePercentage }} for a share, {{ $value | humanize }} for others"
