"""promql/milliseconds: a time in seconds should be compared with seconds.

Why
    By convention metrics count seconds. 500 of them are more than eight minutes, for which nobody waits: such an alert
    never fires.

Bad
    - alert: Slow
      expr: avg_over_time(http_request_duration_seconds[5m]) > 500
      labels: {severity: warning}

Good
    - alert: Slow
      expr: avg_over_time(http_request_duration_seconds[5m]) > 0.5
      labels: {severity: warning}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.promql.units import counted_in
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Number, VectorSelector, walk
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

#: What somebody waits for, and what takes seconds at most.
_AWAITED = re.compile(r"(?:request|response|query|rpc|latency|handler|roundtrip|rtt|ping)\w*_seconds(?:_bucket)?$")
_LEAST = 100


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a round number of hundreds beside the seconds of a request."""
    for query in rule.queries:
        for node in query.binaries:
            limit = unwrap(node.rhs)
            if node.op not in (">", ">=") or not isinstance(limit, Number):
                continue
            if limit.value < _LEAST or limit.value % 50 or counted_in(node.lhs) != "seconds":
                continue
            if any(isinstance(one, VectorSelector) and _AWAITED.search(one.name) for one in walk(node.lhs)):
                says = f"{query.written(limit)} seconds are {limit.value / 60:.2g} minutes"
                yield Flaw(query.at(limit), says, f"for milliseconds write {limit.value / 1000:g}")
