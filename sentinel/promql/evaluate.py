"""Evaluate a PromQL expression over a source of samples.

One path: every node is evaluated for all steps at once, and an instant is one step. So what a rule says live is what a
backtest, a unit test and a graph say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.core.windows import Source
from sentinel.promql.aggregate import aggregate
from sentinel.promql.answer import Answer, matrix_answer, settle, vector_answer
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Paren,
    Subquery,
    Text,
    Unary,
    ValueType,
    VectorSelector,
)
from sentinel.promql.binary import binary
from sentinel.promql.frame import Frame, Limits, Note, Query
from sentinel.promql.functions import KERNELS
from sentinel.promql.select import select_instant, select_range
from sentinel.promql.subquery import as_ranges, inner_times
from sentinel.promql.values import Ranges, Value, Vector

__all__ = ["Answer", "Limits", "Note", "evaluate", "evaluate_instant"]

_DEFAULT = Limits()


def evaluate(expr: Expr, source: Source, start_ms: int, end_ms: int, step_ms: int, limits: Limits = _DEFAULT) -> Answer:
    """Evaluate at every step from start to end, both included: a range query.

    Args:
        expr: of type scalar or instant vector.
        source: of samples.
        start_ms: the first instant, in Unix milliseconds.
        end_ms: the last instant, if the steps meet it.
        step_ms: distance of the steps.
        limits: what the query may take.

    Raises:
        QueryInvalid: the expression cannot be evaluated, or takes more than its limits.
    """
    if expr.type not in (ValueType.SCALAR, ValueType.VECTOR):
        raise QueryInvalid(
            f"a range query needs a scalar or an instant vector, not a {expr.type.words}", expr.start, expr.end
        )
    if step_ms <= 0 or end_ms < start_ms:
        raise QueryInvalid("the step must be positive, and the end not before the start", expr.start, expr.end)
    query = Query(expr, source, start_ms, end_ms, step_ms, limits)
    steps = (end_ms - start_ms) // step_ms + 1
    query.check_size(0, steps, expr)
    times = start_ms + np.arange(steps, dtype=np.int64) * step_ms
    return _answer(expr, Frame(query, times))


def evaluate_instant(
    expr: Expr, source: Source, at_ms: int, limits: Limits = _DEFAULT, known: dict[int, Vector] | None = None
) -> Answer:
    """Evaluate at one instant.

    Args:
        expr: of any type; a range vector's answer has the samples' own times.
        source: of samples.
        at_ms: the instant, in Unix milliseconds.
        limits: what the query may take.
        known: what aggregations that other expressions share gave at this instant; it learns those of this one.

    Raises:
        QueryInvalid: the expression cannot be evaluated, or takes more than its limits.
    """
    query = Query(expr, source, at_ms, at_ms, 0, limits, known)
    return _answer(expr, Frame(query, np.array([at_ms], dtype=np.int64)))


def _answer(expr: Expr, frame: Frame) -> Answer:
    with np.errstate(all="ignore"):
        value = evaluate_node(expr, frame)
        if isinstance(value, Vector):
            return vector_answer(settle(value, expr), frame)
        if isinstance(value, Ranges):
            return matrix_answer(value, frame)
    if isinstance(value, str):
        return Answer(ValueType.STRING, frame.times, (), np.empty((0, 1)), np.empty((0, 1), np.bool_), text=value)
    return Answer(
        ValueType.SCALAR,
        frame.times,
        [Labels()],
        value[None, :],
        np.ones((1, frame.steps), dtype=np.bool_),
        **frame.query.notes(),
    )


def evaluate_node(expr: Expr, frame: Frame) -> Value:
    """Return what a node gives at the frame's instants."""
    if len(frame.times) > 1 and frame.query.is_fixed(expr):
        return _repeated(evaluate_node(expr, Frame(frame.query, frame.times[:1])), expr, frame)
    return _EVALUATORS[type(expr)](expr, frame)


def _repeated(value: Value, expr: Expr, frame: Frame) -> Value:
    """Return for all steps what is the same at each."""
    if not isinstance(value, Vector):
        assert isinstance(value, np.ndarray)
        return np.broadcast_to(value, frame.times.shape)
    shape = (len(value.labels), frame.steps)
    frame.query.check_size(len(value.labels), len(value.labels) * frame.steps, expr)
    times = None if value.times_ms is None else np.broadcast_to(value.times_ms, shape)
    return Vector(
        value.labels, np.broadcast_to(value.values, shape), np.broadcast_to(value.present, shape), value.drop, times
    )


def _number(node: Number, frame: Frame) -> Value:
    return np.full(frame.steps, node.value)


def _text(node: Text, frame: Frame) -> Value:
    return node.value


def _paren(node: Paren, frame: Frame) -> Value:
    return evaluate_node(node.expr, frame)


def _unary(node: Unary, frame: Frame) -> Value:
    value = evaluate_node(node.expr, frame)
    if isinstance(value, Vector):
        return replace(value, times_ms=None) if node.op == "+" else value.nameless(-value.values)
    assert isinstance(value, np.ndarray)
    return value if node.op == "+" else -value


def _call(node: Call, frame: Frame) -> Value:
    frame.query.tick(node)
    return KERNELS[node.function](frame, node, *[evaluate_node(arg, frame) for arg in node.args])


def _aggregate(node: Aggregate, frame: Frame) -> Value:
    frame.query.tick(node)
    known = frame.query.known if frame.steps == 1 and frame.times[0] == frame.query.end_ms else None
    if known is not None and id(node) in known:
        return known[id(node)]
    param = None if node.param is None else evaluate_node(node.param, frame)
    vector = evaluate_node(node.expr, frame)
    assert isinstance(vector, Vector)
    found = aggregate(frame, node, vector, param)
    if known is not None:
        known[id(node)] = found
    return found


def _binary(node: Binary, frame: Frame) -> Value:
    left = evaluate_node(node.lhs, frame)
    right = evaluate_node(node.rhs, frame)
    return binary(frame, node, left, right)


def _subquery(node: Subquery, frame: Frame) -> Value:
    frame.query.tick(node)
    times = inner_times(node, frame)
    inner = evaluate_node(node.expr, Frame(frame.query, times))
    assert isinstance(inner, Vector)
    return as_ranges(node, frame, times, inner)


_EVALUATORS: dict[type[Expr], Callable[[Any, Frame], Value]] = {
    Number: _number,
    Text: _text,
    Paren: _paren,
    Unary: _unary,
    VectorSelector: select_instant,
    MatrixSelector: select_range,
    Subquery: _subquery,
    Call: _call,
    Aggregate: _aggregate,
    Binary: _binary,
}
