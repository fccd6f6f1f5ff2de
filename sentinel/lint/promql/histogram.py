"""promql/histogram: a quantile should be taken of the growth of buckets.

Why
    Buckets are counters: without rate() their quantile is that of all requests since the process began, which hardly
    moves. And what is no bucket has no `le`, and so no quantile.

Bad
    - alert: Slow
      expr: histogram_quantile(0.99, sum by (le) (http_request_duration_seconds_bucket)) > 1
      labels: {severity: warning}

Bad too
    histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_sum[5m]))) > 1

Good
    - alert: Slow
      expr: histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 1
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Aggregate, Call, Expr, MatrixSelector, VectorSelector, walk

SEVERITY = Severity.WARNING

_BUCKET = "_bucket"


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag histogram_quantile() of buckets that nothing counts, and of what is summed by le and has none."""
    for query in rule.queries:
        for call in query.calls:
            if call.function == "histogram_quantile":
                yield from _of(query, call)


def _of(query: Query, call: Call) -> Iterator[Flaw]:
    by_le = any(isinstance(node, Aggregate) and "le" in node.grouping and not node.without for node in walk(call))
    for selector in (node for node in walk(call.args[1]) if isinstance(node, VectorSelector)):
        name = selector.name
        if name.endswith(_BUCKET) and not _is_counted(query, selector):
            yield Flaw(query.at(selector), f"{name} is not counted", f"write rate({query.written(selector)}[5m])")
        elif name and ":" not in name and not name.endswith(_BUCKET) and (by_le or name.endswith(("_sum", "_count"))):
            better = f"{name.removesuffix('_sum').removesuffix('_count')}{_BUCKET}"
            yield Flaw(query.at(selector), f"{name} has no le: only buckets have", f"write {better}")


def _is_counted(query: Query, selector: Expr) -> bool:
    """Say whether the growth of a counter is taken: by a function over a range, or as a difference."""
    return isinstance(query.above(selector), MatrixSelector) or selector_offset(query, selector)


def selector_offset(query: Query, selector: Expr) -> bool:
    """Say whether a selector is one side of a difference: x - x offset 5m."""
    above = query.above(selector)
    return above is not None and str(getattr(above, "op", "")) == "-"
