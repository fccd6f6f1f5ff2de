"""Another parser of PromQL, Rust's promql-parser, agrees on what is PromQL and what it means."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.promql import Aggregate, Binary, Call, VectorSelector, parse, walk
from tests.promql.expressions import Writer

promql_parser = pytest.importorskip("promql_parser")


def _shape(node: object) -> list[str]:
    """Return what both trees have in common, as they are read."""
    kind = type(node).__name__
    if kind == "ParenExpr":
        return _shape(node.expr)  # type: ignore[attr-defined]
    if kind == "UnaryExpr":
        return ["-", *_shape(node.expr)]  # type: ignore[attr-defined]
    if kind == "BinaryExpr":
        return ["binary", str(node.op), *_shape(node.lhs), *_shape(node.rhs)]  # type: ignore[attr-defined]
    if kind == "Call":
        return ["call", node.func.name, *[line for arg in node.args for line in _shape(arg)]]  # type: ignore[attr-defined]
    if kind == "AggregateExpr":
        param = [] if node.param is None else _shape(node.param)  # type: ignore[attr-defined]
        return ["aggregate", str(node.op), *param, *_shape(node.expr)]  # type: ignore[attr-defined]
    if kind == "SubqueryExpr":
        return ["subquery", *_shape(node.expr)]  # type: ignore[attr-defined]
    if kind == "MatrixSelector":
        return ["matrix", *_shape(node.vector_selector)]  # type: ignore[attr-defined]
    if kind == "VectorSelector":
        return ["selector", node.name or ""]  # type: ignore[attr-defined]
    return ["literal"]


def _our_shape(text: str) -> list[str]:
    lines: list[str] = []
    for node in walk(parse(text)):
        match node:
            case Binary(op=op):
                lines += ["binary", str(op)]
            case Call(function=function):
                lines += ["call", function]
            case Aggregate(op=op):
                lines += ["aggregate", op]
            case VectorSelector():
                lines += ["selector", node.name]
            case _:
                kind = type(node).__name__
                known = {"Subquery": "subquery", "MatrixSelector": "matrix", "Unary": "-", "Paren": ""}
                lines += [known.get(kind, "literal")] if known.get(kind, "literal") else []
    return lines


@given(st.integers(0, 10**9))
def test_both_parsers_build_the_same_tree(seed: int) -> None:
    """Operators, functions, aggregations and selectors come in the same order."""
    text = Writer(seed, modern=True).expression()
    theirs = promql_parser.parse(text)
    assert [line.lower() for line in _shape(theirs)] == _our_shape(text)


@pytest.mark.parametrize("text", ["rate(x)", "sum(", "x[5m] + 1", "1 > 2", "x{a=b}", "foo bar", "x[0s]", "a and 1"])
def test_both_parsers_refuse_the_same(text: str) -> None:
    """What is wrong for one is wrong for the other."""
    with pytest.raises(ValueError, match=re.compile(".")):
        promql_parser.parse(text)
    with pytest.raises(Exception, match=re.compile(".")):
        parse(text)
