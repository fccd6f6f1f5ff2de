"""Carried: which labels the elements of an expression can have, as far as the expression itself says.

The rules are those of Prometheus's "Aggregation operators" and "Vector matching".
"""

from __future__ import annotations

from typing import NamedTuple

from sentinel.core.labels import NAME
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Matching,
    MatrixSelector,
    Paren,
    Subquery,
    Text,
    Unary,
    VectorSelector,
)

#: Aggregations whose elements keep the labels that they had.
CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_NONE: frozenset[str] = frozenset()


class Carried(NamedTuple):
    """Labels of an expression's elements.

    Args:
        only: at most these; None where the series decide.
        never: none of these, whatever the series have.
    """

    only: frozenset[str] | None = None
    never: frozenset[str] = _NONE

    def lacks(self, label: str) -> bool:
        """Say whether no element can have this label."""
        return label in self.never or (self.only is not None and label not in self.only)

    def keep(self, labels: frozenset[str]) -> Carried:
        """Return what is left where only these labels are kept."""
        return Carried(frozenset(label for label in labels if not self.lacks(label)))

    def drop(self, labels: frozenset[str]) -> Carried:
        """Return what is left without these labels."""
        return Carried(None if self.only is None else self.only - labels, self.never | labels)

    def add(self, labels: frozenset[str]) -> Carried:
        """Return what it is when these labels are set."""
        return Carried(None if self.only is None else self.only | labels, self.never - labels)


def carried(expr: Expr) -> Carried:
    """Return which labels the elements of an instant or range vector can have."""
    match expr:
        case VectorSelector(matchers=matchers):
            return Carried(None, frozenset(m.name for m in matchers if m.op == "=" and not m.value))
        case MatrixSelector(selector=inner) | Subquery(expr=inner) | Paren(expr=inner) | Unary(expr=inner):
            return carried(inner)
        case Call():
            return _of_call(expr)
        case Aggregate():
            return _of_aggregate(expr)
        case Binary():
            return _of_binary(expr)
        case _:
            return Carried(_NONE)


def _of_call(call: Call) -> Carried:
    texts = [arg.value for arg in call.args if isinstance(arg, Text)]
    vector = next((arg for arg in call.args if arg.type in ("vector", "matrix")), None)
    if vector is None:
        return Carried(_NONE)
    if call.function in ("absent", "absent_over_time"):
        inner = vector.selector if isinstance(vector, MatrixSelector) else vector
        equal = [m for m in inner.matchers if m.op == "="] if isinstance(inner, VectorSelector) else []
        return Carried(frozenset(m.name for m in equal if m.name != NAME and m.value))
    found = carried(vector)
    match call.function:
        case "label_replace" | "label_join" | "histogram_quantiles":
            return found.add(frozenset(texts[:1]))
        case "histogram_quantile" | "histogram_fraction":
            return found.drop(frozenset({"le"}))
        case _:
            return found


def _of_aggregate(node: Aggregate) -> Carried:
    inner = carried(node.expr)
    if node.op in CHOOSING:
        return inner
    found = inner.drop(frozenset(node.grouping)) if node.without else inner.keep(frozenset(node.grouping))
    if node.op == "count_values" and isinstance(node.param, Text):
        return found.add(frozenset({node.param.value}))
    return found


def _of_binary(node: Binary) -> Carried:
    if node.lhs.type != "vector":
        return carried(node.rhs)
    left = carried(node.lhs)
    if node.rhs.type != "vector":
        return left
    if node.op == "or":
        right = carried(node.rhs)
        only = None if left.only is None or right.only is None else left.only | right.only
        return Carried(only, left.never & right.never)
    matching = node.matching or Matching()
    if node.op.sets:
        return left
    labels = frozenset(matching.labels)
    match matching.cardinality:
        case Cardinality.MANY_TO_ONE:
            return left.add(frozenset(matching.include))
        case Cardinality.ONE_TO_MANY:
            return carried(node.rhs).add(frozenset(matching.include))
        case _:
            return left.keep(labels) if matching.on else left.drop(labels)
