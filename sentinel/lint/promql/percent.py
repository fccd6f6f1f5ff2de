"""promql/percent: a share should be compared with a share, and percent with percent.

Why
    By convention a ratio lies between 0 and 1. 90 is above every ratio, so the alert never fires, or always does.

Bad
    - alert: Full
      expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 10
      labels: {severity: warning}

Bad too
    cache_hit_ratio < 80
    cpu_usage_percent > 0.9

Good
    - alert: Full
      expr: node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1
      labels: {severity: warning}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import reach
from sentinel.lint.view import RuleView
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Subquery,
    VectorSelector,
)
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

#: Parts of a whole, and wholes, as exporters name them.
_PART = re.compile(r"(?:^|_)(?:avail|available|free|used|usage|working_set|rss|open|in_use|active|allocated)(?:_|$)")
_WHOLE = re.compile(r"(?:^|_)(?:size|total|limit|limits|max|capacity|quota|allocatable)(?:_|$)")
#: From here on a number beside a ratio is percent: few ratios are above it, and no share is.
_LEAST_PERCENT = 2
_KEEPING = frozenset({"avg_over_time", "min_over_time", "max_over_time", "last_over_time", "quantile_over_time"})
_ALIKE = frozenset({"sum", "avg", "min", "max"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a number that is percent beside what is a share, and the reverse."""
    for query in rule.queries:
        for node in query.binaries:
            limit = unwrap(node.rhs)
            if not isinstance(limit, Number) or not node.op.compares:
                continue
            value = limit.value
            if _LEAST_PERCENT <= value <= 100 and _is_share(node.lhs) and reach(node.lhs).most > value:
                what = query.written(node.lhs)
                says = f"{what} is a share, from 0 to 1, and {query.written(limit)} is percent"
                edit = query.edit(limit.start, limit.end, f"{value / 100:g}")
                yield Flaw(query.at(limit), says, f"write {value / 100:g}", edit)
            elif 0 < value < 1 and _counts(node.lhs, ("_percent", "_percentage", "_pct")):
                what = query.written(node.lhs)
                says = f"{what} is percent, from 0 to 100, and {query.written(limit)} is a share"
                edit = query.edit(limit.start, limit.end, f"{value * 100:g}")
                yield Flaw(query.at(limit), says, f"write {value * 100:g}", edit)


def _is_share(expr: Expr) -> bool:
    node = unwrap(expr)
    if isinstance(node, Binary) and node.op == "-" and isinstance(whole := unwrap(node.lhs), Number):
        return whole.value == 1 and _is_share(node.rhs)
    if isinstance(node, Binary) and node.op == "/":
        part, whole_name = _words(_name(node.lhs)), _words(_name(node.rhs))
        return bool(_PART.search(part)) and bool(_WHOLE.search(whole_name)) and not _PART.search(whole_name)
    return _counts(node, ("_ratio",))


def _words(name: str) -> str:
    """Return a name with _ between all its words: node_memory_MemTotal_bytes has one more."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def _counts(expr: Expr, endings: tuple[str, ...]) -> bool:
    return _name(expr).endswith(endings)


def _name(expr: Expr) -> str:
    """Return the metric whose values an expression has, "" where that is not one."""
    match unwrap(expr):
        case VectorSelector(name=name):
            return name
        case MatrixSelector(selector=inner) | Subquery(expr=inner):
            return _name(inner)
        case Call(function=function, args=args) if function in _KEEPING:
            return _name(args[-1])
        case Aggregate(op=op, expr=inner) if op in _ALIKE:
            return _name(inner)
        case _:
            return ""
