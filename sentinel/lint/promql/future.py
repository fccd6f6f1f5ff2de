"""promql/future: a rule should not look at what has not happened yet.

Why
    A negative offset asks for samples after the evaluation. There are none, so the rule is empty for ever.

Bad
    - alert: Growth
      expr: disk_used_bytes offset -1h > 1e9
      labels: {severity: warning}

Good
    - alert: Growth
      expr: predict_linear(disk_used_bytes[6h], 3600) > 1e9
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Subquery, VectorSelector

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag negative offsets of selectors and subqueries that are fixed to no instant."""
    for query in rule.queries:
        looking: list[VectorSelector | Subquery] = [*query.selectors, *query.subqueries]
        for node in looking:
            if isinstance(node.offset, int) and node.offset < 0 and node.at is None:
                yield Flaw(
                    query.at(node), "the offset is negative: it looks at what has not happened yet", "drop the -"
                )
