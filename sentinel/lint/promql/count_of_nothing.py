"""promql/count-of-nothing: a count that falls should be seen also when it reaches nothing.

Why
    count() of no series is not 0: it is nothing at all, and that is below no threshold. When the last one is gone the
    alert falls silent.

Bad
    - alert: FewWorkers
      expr: count(up{job="worker"} == 1) < 3
      labels: {severity: critical}

Good
    - alert: FewWorkers
      expr: sum(up{job="worker"}) < 3
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.alert.comparison import filters
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Aggregate, Number, Operator
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag an alert for few of what a condition lets through; where none is left it is silent."""
    query = rule.whole
    if query is None or not rule.alerts:
        return
    for node in query.binaries:
        if node.op not in (Operator.LESS, Operator.LESS_EQUAL) or node.return_bool:
            continue
        counted, limit = unwrap(node.lhs), unwrap(node.rhs)
        if not (isinstance(counted, Aggregate) and counted.op == "count" and isinstance(limit, Number)):
            continue
        least = limit.value if node.op is Operator.LESS else limit.value + 1
        if least > 1 and not counted.grouping and filters(counted.expr):
            says = f"{query.written(counted)} is nothing where none is left, and {node.op} does not hold then"
            yield Flaw(query.at(node), says, "write sum(… == bool …), or (count(…) or vector(0))")
