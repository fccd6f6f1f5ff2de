"""promql: parse PromQL (with places) and evaluate it over a source of samples.

Parsing needs no numpy, so that a check of rule files stays quick; evaluating is `sentinel.promql.evaluate`.
"""

from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    DurationExpr,
    Expr,
    Matching,
    MatrixSelector,
    Number,
    Operator,
    Paren,
    Subquery,
    Text,
    Unary,
    ValueType,
    VectorSelector,
    walk,
)
from sentinel.promql.parser import parse
from sentinel.promql.reads import Read, reads

__all__ = [
    "Aggregate",
    "Binary",
    "Call",
    "Cardinality",
    "DurationExpr",
    "Expr",
    "Matching",
    "MatrixSelector",
    "Number",
    "Operator",
    "Paren",
    "Read",
    "Subquery",
    "Text",
    "Unary",
    "ValueType",
    "VectorSelector",
    "parse",
    "reads",
    "walk",
]
