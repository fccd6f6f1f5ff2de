"""promql/short-range: a range should hold at least two samples.

Why
    rate() and its like need two samples. Prometheus looks once a minute unless it is told otherwise, and few look more
    often than every 15 seconds: a shorter range is empty nearly always.

Bad
    - alert: Errors
      expr: rate(http_errors_total[15s]) > 1
      labels: {severity: warning}

Good
    - alert: Errors
      expr: rate(http_errors_total[5m]) > 1
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.lint.words import words
from sentinel.promql.ast import MatrixSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_COUNTING = frozenset({"rate", "increase", "irate", "delta", "idelta", "deriv", "changes", "resets"})
_SHORTEST_MS = 30_000


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a range in a rule file that is shorter than two intervals of 15 s, or than two of its own group's."""
    if rule.kind == "rule":  # the probes behind it are known
        return
    often = rule.interval.total_seconds() * 1000 if rule.interval else _SHORTEST_MS
    for query in rule.queries:
        for call in query.calls:
            window = unwrap(call.args[0]) if call.function in _COUNTING else None
            if not isinstance(window, MatrixSelector) or not isinstance(window.range, int):
                continue
            if window.range < min(_SHORTEST_MS, 2 * often):
                says = f"{words(window.range)} hold two samples only where they come more often than that"
                yield Flaw(query.at(window), says, "use four intervals of what looks: [1m] for every 15s")
