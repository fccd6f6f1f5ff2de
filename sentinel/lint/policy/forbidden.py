"""policy/forbidden: a rule should not have labels and annotations that `policy:` forbids.

Why
    A label that is built from what changes makes a new alert each time, and one that routes do not know misleads.

Bad
    policy: {forbid: [priority]}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, labels: {priority: high}}

Good
    policy: {forbid: [priority]}
    rules:
      deep: {last: queue_depth, above: 5, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.demanded import demanded
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag each of them."""
    for rule, demands in demanded(context):
        for name in demands.forbid:
            if name in rule.labels or (rule.kind == "alert" and name in rule.texts):
                yield Flaw(rule.position, f"{rule.name} has {name}, which is forbidden here", "remove it")
