"""alert/absent-without-for: an alert about what is missing should wait a little.

Why
    After a restart of the target, or of whoever looks at it, a series is missing for a moment. Without `for` each
    deployment wakes somebody.

Bad
    - alert: Gone
      expr: absent(up{job="shop"})
      labels: {severity: critical}

Good
    - alert: Gone
      expr: absent(up{job="shop"})
      for: 5m
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag absent() in an alert of Prometheus's without `for`; absent_over_time() waits by itself."""
    if rule.kind != "alert" or rule.hold_for:
        return
    for query in rule.queries:
        for call in query.calls:
            if call.function == "absent":
                yield Flaw(query.at(call), "absent() without for fires at each restart", "add for: 5m")
                return
