"""Which parts of an expression are the same at every step: those whose selectors all have an `@`."""

from __future__ import annotations

from sentinel.promql.ast import Call, Expr, MatrixSelector, Number, Subquery, ValueType, VectorSelector

#: Functions that look at the time of the evaluation; those of a date only where they are given none.
_TIMED = frozenset({"time", "timestamp", "predict_linear"})
_TIMED_ALONE = frozenset(
    {"minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"}
)


def fixed_parts(expr: Expr) -> frozenset[int]:
    """Return the ids of the nodes that give the same at every step, so that one step is enough to know all."""
    found: set[int] = set()
    _is_fixed(expr, found)
    return frozenset(found)


def _is_fixed(node: Expr, found: set[int]) -> bool:
    """Say whether a node is fixed, and add it and those below it."""
    below = [_is_fixed(child, found) for child in node.children]
    match node:
        case VectorSelector() | Subquery():
            fixed = node.at is not None
        case MatrixSelector():
            fixed = node.selector.at is not None
        case Call():
            alone = not node.args and node.function in _TIMED_ALONE
            fixed = all(below) and node.function not in _TIMED and not alone
        case _:
            fixed = all(below)
    if fixed and node.type in (ValueType.VECTOR, ValueType.SCALAR) and not isinstance(node, Number):
        found.add(id(node))
    return fixed
