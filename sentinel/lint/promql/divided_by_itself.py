"""promql/divided-by-itself: a part should be divided by the whole, and not by itself.

Why
    Elements meet where all their labels are equal: series of `code="500"` meet the series of `code="500"` on the other
    side, not all of them. Each is divided by itself, and the share is always 1.

Bad
    - alert: Errors
      expr: rate(http_requests_total{code="500"}[5m]) / rate(http_requests_total[5m]) > 0.05
      labels: {severity: warning}

Bad too
    sum by (code) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (code) (rate(http_requests_total[5m])) > 0.05

Good
    - alert: Errors
      expr: sum(rate(http_requests_total{code="500"}[5m])) / sum(rate(http_requests_total[5m])) > 0.05
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.carried import carried
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import is_part
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Aggregate, Binary, Cardinality, Expr, Matching, VectorSelector, walk

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a quotient whose sides differ only by conditions on labels by which they are matched."""
    for query in rule.queries:
        for node in query.binaries:
            if node.op == "/" and is_part(node.lhs, node.rhs) and _meets_itself(node):
                says = f"each element of {query.written(node.lhs)} is divided by itself: the quotient is always 1"
                yield Flaw(query.at(node), says, "add both sides up first, without the label that parts them")


def _meets_itself(node: Binary) -> bool:
    matching = node.matching or Matching()
    if matching.cardinality is not Cardinality.ONE_TO_ONE or _choosing(node.lhs):
        return False
    differing = _labels(node.lhs)
    kept = carried(node.lhs)
    kept = kept.keep(frozenset(matching.labels)) if matching.on else kept.drop(frozenset(matching.labels))
    return not any(kept.lacks(label) for label in differing)


def _labels(expr: Expr) -> set[str]:
    """Return the labels that the conditions of its selectors are about."""
    selectors = (node for node in walk(expr) if isinstance(node, VectorSelector))
    return {matcher.name for selector in selectors for matcher in selector.matchers if matcher.name != "__name__"}


def _choosing(expr: Expr) -> bool:
    """Say whether something other than sums stands in it, of which nobody knows what it keeps."""
    return any(isinstance(node, Aggregate) and node.op != "sum" for node in walk(expr))
