"""promql/lost-label: what is grouped or matched by a label should still have it.

Why
    An aggregation keeps only the labels of its `by`. Whatever asks for another one behind it gets an empty text: groups
    melt into one, sides of a match do not find each other, and a quantile without `le` is no number.

Bad
    - alert: Slow
      expr: histogram_quantile(0.99, sum by (job) (rate(http_request_duration_seconds_bucket[5m]))) > 1
      labels: {severity: warning}

Bad too
    count by (instance) (sum by (job) (up) > 0) > 3
    sum by (job) (errors) / on (instance) sum by (instance) (requests) > 0.05

Good
    - alert: Slow
      expr: histogram_quantile(0.99, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m]))) > 1
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.carried import CHOOSING, carried
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Aggregate, Binary, Call, Expr, Text

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag `by`, `on`, `group_left`, label_replace() and histogram_quantile() where what they ask for is gone."""
    for query in rule.queries:
        if not query.aggregates:
            continue
        for node in query.aggregates:
            if not node.without and node.op not in CHOOSING:
                yield from _missing(query, node, node.expr, node.grouping)
        for operator in query.binaries:
            yield from _of_match(query, operator)
        for call in query.calls:
            yield from _of_call(query, call)


def _of_match(query: Query, node: Binary) -> Iterator[Flaw]:
    if node.matching and node.matching.on:
        for side in node.children:
            yield from _missing(query, node, side, node.matching.labels)


def _of_call(query: Query, node: Call) -> Iterator[Flaw]:
    match node.function:
        case "histogram_quantile":
            inner = node.args[1]
            if isinstance(_bare(inner), Aggregate) and carried(inner).lacks("le"):
                yield Flaw(query.at(inner), "le is lost before the quantile is taken", "aggregate by (…, le)")
        case "label_replace" if isinstance(node.args[3], Text) and node.args[3].value:
            yield from _missing(query, node, node.args[0], (node.args[3].value,))


def _missing(query: Query, node: Expr, inner: Expr, labels: tuple[str, ...]) -> Iterator[Flaw]:
    found = carried(inner)
    for label in labels:
        if found.lacks(label) and found.only != frozenset():
            kept = ", ".join(sorted(found.only)) if found.only else f"all but {label}"
            says = f'no element has the label "{label}" here: {query.written(inner)} keeps {kept}'
            at = query.text.find(label, node.start, node.end)
            where = query.part(at, at + len(label)) if at >= 0 else query.at(node)
            yield Flaw(where, says, f"keep {label} inside, or do not ask for it")


def _bare(expr: Expr) -> Expr:
    while len(expr.children) == 1 and not isinstance(expr, (Aggregate, Call)):
        expr = expr.children[0]
    return expr
