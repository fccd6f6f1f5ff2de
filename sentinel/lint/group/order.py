"""group/order: a rule should stand behind those that record what it reads.

Why
    The rules of a group are evaluated one after the other. What is read before it is recorded is that of the evaluation
    before: each alert comes one interval late.

Bad
    - alert: Down
      expr: job:up:sum == 0
      labels: {severity: critical}
    - record: job:up:sum
      expr: sum by (job) (up)

Good
    - record: job:up:sum
      expr: sum by (job) (up)
    - alert: Down
      expr: job:up:sum == 0
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import GroupView

SEVERITY = Severity.WARNING


def check(group: GroupView) -> Iterator[Flaw]:
    """Flag a selector of what a later rule of the group records, and no earlier one."""
    first = {rule.name: at for at, rule in reversed(list(enumerate(group.rules))) if rule.kind == "record"}
    for at, rule in enumerate(group.rules) if first else ():
        for query in rule.queries:
            for selector in query.selectors:
                if first.get(selector.name, -1) > at:
                    says = f"{selector.name} is recorded further down, so that this reads what it was an interval ago"
                    yield Flaw(query.at(selector), says, "move the recording rule up")
