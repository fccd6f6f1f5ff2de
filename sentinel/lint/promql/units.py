"""promql/units: values of different units should not be added or compared.

Why
    By convention a metric's name ends in its unit. Seconds and bytes have no order between them; whoever compares them
    has taken the wrong metric.

Bad
    - alert: Full
      expr: cache_size_bytes > cache_age_seconds
      labels: {severity: warning}

Good
    - alert: Full
      expr: cache_size_bytes > cache_limit_bytes
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)

SEVERITY = Severity.WARNING

_WHOLE_WORDS = ("seconds", "milliseconds", "bytes", "ratio", "percent", "celsius", "volts", "joules", "meters")
_UNITS = {**{unit: unit for unit in _WHOLE_WORDS}, "ms": "milliseconds"}
_WORDS = """
    avg_over_time min_over_time max_over_time last_over_time sum_over_time quantile_over_time delta abs ceil floor
    round predict_linear increase histogram_quantile label_replace label_join sort sort_desc clamp clamp_min
    clamp_max
"""
_KEEPING = frozenset(_WORDS.split())
_SAME_OF_GROUP = frozenset({"sum", "avg", "min", "max", "topk", "bottomk", "quantile"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag +, - and comparisons between metrics whose names end in different units."""
    for query in rule.queries:
        for node in query.binaries:
            if node.op in ("+", "-") or node.op.compares:
                left, right = counted_in(node.lhs), counted_in(node.rhs)
                if left and right and left != right:
                    says = f"{query.written(node.lhs)} counts {left}, {query.written(node.rhs)} {right}"
                    yield Flaw(query.at(node), says, "take a metric of the same unit, or convert one of them")


def counted_in(expr: Expr) -> str:
    """Return what the values of an expression are counted in, "" where nobody can say."""
    match expr:
        case VectorSelector(name=name):
            bare = name.removesuffix("_total").removesuffix("_bucket")
            return _UNITS.get(bare.rpartition("_")[2], "")
        case Call(function="time" | "timestamp"):
            return "seconds"
        case MatrixSelector(selector=inner) | Subquery(expr=inner) | Paren(expr=inner) | Unary(expr=inner):
            return counted_in(inner)
        case Call(function=function, args=args) if function in _KEEPING:
            return next((unit for arg in args if (unit := counted_in(arg))), "")
        case Aggregate(op=op, expr=inner) if op in _SAME_OF_GROUP:
            return counted_in(inner)
        case Binary(op=op) if (op in ("+", "-") or op.compares) and not expr.return_bool:
            return counted_in(expr.lhs)
        case _:
            return ""
