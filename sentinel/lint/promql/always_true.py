"""promql/always-true: the condition of an alert should be able to fail.

Why
    An alert that fires for as long as its series exist tells nothing, and is soon ignored together with its neighbours.

Bad
    - alert: Requests
      expr: rate(http_requests_total[5m]) >= 0
      labels: {severity: warning}

Bad too
    temperature < 10 or temperature > 5

Good
    - alert: Requests
      expr: rate(http_requests_total[5m]) > 100
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.alert.comparison import filters
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import pair
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Binary, Operator
from sentinel.promql.check import unwrap

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag an alert whose outermost comparison holds for every value; a filter further inside is a condition."""
    query = rule.whole
    if query is None or not rule.alerts:
        return
    node = unwrap(query.expr)
    if not isinstance(node, Binary) or node.return_bool:
        return
    if node.op.compares:
        always = any(one is node and holds for one, holds in query.comparisons)
        if always and not filters(node.lhs) and not filters(node.rhs):
            says = f"always true: it fires for as long as there is {query.written(node.lhs)}"
            yield Flaw(query.at(node), says, "compare with a number that it does not always pass")
    elif node.op is Operator.OR and (both := pair(node.lhs, node.rhs)) and both.cover:
        says = f"always true: whatever is not {query.written(node.lhs)} is {query.written(node.rhs)}"
        yield Flaw(query.at(node), says, "write `and` if both must hold, or exchange the two numbers")
