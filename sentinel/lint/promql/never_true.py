"""promql/never-true: a comparison should be able to hold.

Why
    An alert that cannot fire looks like protection and is none; nobody notices until the day on which it was needed.

Bad
    - alert: Unreachable
      expr: up == 2
      labels: {severity: critical}

Bad too
    sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m])) > 5
    temperature > 90 and temperature < 80
    count(up == 0) < 1

Good
    - alert: Unreachable
      expr: up == 0
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import pair, reach
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Binary, Expr, Operator, ValueType

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag comparisons whose left side can have no value that fulfils them, and pairs that exclude each other."""
    for query in rule.queries:
        for node, holds in query.comparisons:
            if holds is False:
                says = _says(query, node.rhs if node.lhs.type is ValueType.SCALAR else node.lhs)
                yield Flaw(query.at(node), says, _fix(query, node))
        for node in query.binaries:
            if node.op is Operator.AND and (both := pair(node.lhs, node.rhs)) and both.exclude:
                says = f"{query.written(node.lhs)} and {query.written(node.rhs)} exclude each other"
                yield Flaw(query.at(node), says, "write `or` if either is wrong, or exchange the two numbers")


def _says(query: Query, side: Expr) -> str:
    values = reach(side)
    bounds = [f"at least {values.least:g}" if values.least > -float("inf") else "", f"at most {values.most:g}"]
    known = " and ".join(bound for bound in bounds if bound and "inf" not in bound)
    return f"never true: {query.written(side)} is {known}"


def _fix(query: Query, node: Binary) -> str:
    if reach(node.lhs).most == 1 and reach(node.rhs).least > 1:
        return "a share is a number from 0 to 1: 5% is 0.05"
    if query.written(node.lhs).lstrip("(").startswith("count"):
        return "a count of nothing has no value; use absent(…), or add `or vector(0)` inside"
    return "compare with a number that it can pass"
