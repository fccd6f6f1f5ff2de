"""Functions that write labels: label_replace, label_join."""

from __future__ import annotations

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME
from sentinel.core.regex import compile_pattern, fill_groups
from sentinel.promql.answer import unite
from sentinel.promql.ast import Call
from sentinel.promql.frame import Frame
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.selectors import valid_label
from sentinel.promql.values import Function, Mask, Vector


def label_replace(frame: Frame, call: Call, vector: Vector, dst: str, template: str, src: str, pattern: str) -> Vector:
    """Write a label from the groups of a regular expression."""
    _check_label(call, 1, dst)
    try:
        compile_pattern(f"^(?:{pattern})$")
    except ValueError as exc:
        at = call.args[4]
        raise QueryInvalid(f"not a regular expression: {exc}", at.start, at.end) from None
    return _written(vector, MEMO.get(_replaced, (vector.labels,), dst, template, src, pattern), dst, call)


def label_join(frame: Frame, call: Call, vector: Vector, dst: str, separator: str, *sources: str) -> Vector:
    """Write a label from others, joined."""
    for place, name in enumerate((dst, separator, *sources), start=1):
        if place != 2:
            _check_label(call, place, name)
    return _written(vector, MEMO.get(_joined, (vector.labels,), dst, separator, sources), dst, call)


def _check_label(call: Call, place: int, name: str) -> None:
    if not valid_label(name):
        at = call.args[place]
        raise QueryInvalid(f"{name!r} is not the name of a label in {call.function}()", at.start, at.end)


def _replaced(labels: LabelList, dst: str, template: str, src: str, pattern: str) -> tuple[LabelList, Mask]:
    """Return the new labels, and which rows the pattern matched."""
    matcher = compile_pattern(f"^(?:{pattern})$")
    # Each distinct value is matched once.
    values: dict[str, str | None] = {}
    for row in labels:
        text = row.get(src)
        if text not in values:
            found = matcher.fullmatch(text)
            values[text] = None if found is None else fill_groups(template, found)
    written = [values[row.get(src)] for row in labels]
    new = [row if value is None else row.merge({dst: value}) for row, value in zip(labels, written, strict=True)]
    return new, np.array([value is not None for value in written], dtype=np.bool_)


def _joined(labels: LabelList, dst: str, separator: str, sources: tuple[str, ...]) -> tuple[LabelList, Mask]:
    new = [row.merge({dst: separator.join(row.get(source) for source in sources)}) for row in labels]
    return new, np.ones(len(labels), dtype=np.bool_)


def _written(vector: Vector, result: tuple[LabelList, Mask], dst: str, call: Call) -> Vector:
    labels, touched = result
    # A name that is written stays, even where the old one was to go.
    drop = vector.drop & ~touched if dst == NAME else vector.drop
    return unite(Vector(labels, vector.values, vector.present, drop), call)


KERNELS: dict[str, Function] = {"label_replace": label_replace, "label_join": label_join}
