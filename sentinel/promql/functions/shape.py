"""Functions that turn one type into another, or look at whether there is anything at all."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from sentinel.core.labels import NAME, Labels, MatchOp
from sentinel.core.windows import Values
from sentinel.promql.ast import Call, Expr, MatrixSelector, VectorSelector
from sentinel.promql.check import unwrap
from sentinel.promql.frame import Frame
from sentinel.promql.values import Function, Ranges, Vector, single


def scalar(frame: Frame, call: Call, vector: Vector) -> Values:
    """NaN unless there is exactly one element."""
    if len(vector.labels) == 1:
        return np.where(vector.present[0], vector.values[0], np.nan)
    summed: Values = np.where(vector.present, vector.values, 0.0).sum(axis=0)
    return np.where(vector.present.sum(axis=0) == 1, summed, np.nan)


def vector_of(frame: Frame, call: Call, value: Values) -> Vector:
    """An element without labels."""
    return single(Labels(), value)


def absent(frame: Frame, call: Call, vector: Vector) -> Vector:
    """1 where there is nothing."""
    return single(_asked_for(call.args[0]), np.ones(frame.steps), np.logical_not(vector.present.any(axis=0)))


def absent_over_time(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """1 where no window holds anything."""
    empty = np.logical_not((windows.hi > windows.lo).any(axis=0))
    return single(_asked_for(call.args[0]), np.ones(frame.steps), empty)


def _asked_for(arg: Expr) -> Labels:
    """Return the labels that a selector asks for with `=`, once each."""
    arg = unwrap(arg)
    if isinstance(arg, MatrixSelector):
        arg = arg.selector
    if not isinstance(arg, VectorSelector):
        return Labels()
    found: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in arg.matchers:
        if matcher.name == NAME:
            continue
        if matcher.op is MatchOp.EQUAL and matcher.name not in seen:
            found[matcher.name] = matcher.value
            seen.add(matcher.name)
        else:
            found.pop(matcher.name, None)
    return Labels.of(found)


def of_two(choose: Callable[[Values, Values], Values]) -> Callable[[Frame, Call, Values, Values], Values]:
    """Return the function of two scalars."""

    def apply(frame: Frame, call: Call, a: Values, b: Values) -> Values:
        return choose(a, b)

    return apply


def sorted_by_value(*, descending: bool) -> Callable[[Frame, Call, Vector], Vector]:
    """Return `sort` or `sort_desc`; NaN comes last in both."""

    def order(frame: Frame, call: Call, vector: Vector) -> Vector:
        if not frame.instant:
            return _in_vain(frame, call, vector)
        values = vector.values[:, 0]
        return _reordered(vector, np.argsort(-values if descending else values, kind="stable"))

    return order


def sorted_by_label(*, descending: bool) -> Callable[..., Vector]:
    """Return `sort_by_label` or `sort_by_label_desc`."""

    def order(frame: Frame, call: Call, vector: Vector, *names: str) -> Vector:
        if not frame.instant:
            return _in_vain(frame, call, vector)

        def key(row: int) -> tuple[Any, ...]:
            labels = vector.labels[row]
            return ([_natural(labels.get(name)) for name in names], labels)

        return _reordered(vector, np.array(sorted(range(len(vector.labels)), key=key, reverse=descending), dtype=int))

    return order


def _natural(text: str) -> list[tuple[int, int, str]]:
    """Return a key by which 2 comes before 10."""
    parts = re.findall(r"\d+|\D+", text)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _in_vain(frame: Frame, call: Call, vector: Vector) -> Vector:
    if frame.query.ranged:
        frame.query.warn(
            "PromQL warning: sort is ineffective for range queries since results are always ordered by labels", call
        )
    return vector


def _reordered(vector: Vector, order: Any) -> Vector:
    return Vector(
        [vector.labels[row] for row in order], vector.values[order], vector.present[order], vector.drop[order]
    )


KERNELS: dict[str, Function] = {
    "scalar": scalar,
    "vector": vector_of,
    "absent": absent,
    "absent_over_time": absent_over_time,
    "min_of": of_two(np.minimum),
    "max_of": of_two(np.maximum),
    "sort": sorted_by_value(descending=False),
    "sort_desc": sorted_by_value(descending=True),
    "sort_by_label": sorted_by_label(descending=False),
    "sort_by_label_desc": sorted_by_label(descending=True),
}
