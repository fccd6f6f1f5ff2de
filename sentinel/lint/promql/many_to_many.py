"""promql/many-to-many: each side of an operator should have one element for each label set that is matched.

Why
    `on (job)` finds every instance of a job on both sides, and which belongs to which nobody can say: the evaluation
    fails as soon as there are two, and a rule that fails says nothing.

Bad
    - alert: Errors
      expr: rate(errors_total[5m]) / on (job) rate(requests_total[5m]) > 0.05
      labels: {severity: warning}

Good
    - alert: Errors
      expr: sum by (job) (rate(errors_total[5m])) / on (job) sum by (job) (rate(requests_total[5m])) > 0.05
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.labels import MatchOp
from sentinel.core.severity import Severity
from sentinel.lint.carried import carried
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Aggregate, Cardinality, Expr, ValueType, VectorSelector, walk

SEVERITY = Severity.WARNING

#: Labels that hardly ever tell one series from the next: many instances share them.
_COARSE = frozenset({"job", "cluster", "env", "environment", "region", "zone", "datacenter", "dc", "stage"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a match of plain series with plain series by labels that many of them share."""
    for query in rule.queries:
        for node in query.binaries:
            matching = node.matching
            if matching is None or not matching.on or not matching.labels or node.op.sets:
                continue
            if matching.cardinality is not Cardinality.ONE_TO_ONE or not _COARSE.issuperset(matching.labels):
                continue
            if all(side.type is ValueType.VECTOR and _are_many(side) for side in node.children):
                says = f"on ({', '.join(matching.labels)}) finds several series on both sides"
                yield Flaw(query.at(node), says, f"add up each side: sum by ({', '.join(matching.labels)}) (…)")


def _are_many(expr: Expr) -> bool:
    """Say whether an expression has the series of its selectors, none of which says which instance it means."""
    nodes = list(walk(expr))
    if any(isinstance(node, Aggregate) for node in nodes) or carried(expr).only is not None:
        return False
    selectors = [node for node in nodes if isinstance(node, VectorSelector)]
    return bool(selectors) and all(_has_instances(selector) for selector in selectors)


def _has_instances(selector: VectorSelector) -> bool:
    plain = bool(selector.name) and ":" not in selector.name and not selector.name.startswith("ALERTS")
    return plain and not any(one.name == "instance" and one.op is MatchOp.EQUAL for one in selector.matchers)
