"""Aggregations that pick or count elements instead of computing: topk, bottomk, limitk, limit_ratio, count_values."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Labels
from sentinel.core.windows import Values
from sentinel.promql.ast import Aggregate
from sentinel.promql.frame import Frame
from sentinel.promql.grouping import Groups
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.selectors import valid_label
from sentinel.promql.values import Indices, Mask, Value, Vector
from sentinel.promql.xxhash import xxh64

Ranking = Callable[[Frame, Aggregate, Vector, Groups, Value | None], Vector]


def _extreme(*, greatest: bool) -> Ranking:
    """Return topk or bottomk; NaN ranks last in both."""

    def pick(frame: Frame, node: Aggregate, vector: Vector, groups: Groups, param: Value | None) -> Vector:
        k = _count(node, param)
        values = -vector.values if greatest else vector.values
        shown = _kept(vector, groups, values, k)
        picked = Vector(vector.labels, vector.values, shown, vector.drop)
        return _best_first(picked, groups, values) if frame.instant else picked

    return pick


def limitk(frame: Frame, node: Aggregate, vector: Vector, groups: Groups, param: Value | None) -> Vector:
    """Keep the first k elements, in the order of the series."""
    shown = _kept(vector, groups, np.zeros(vector.values.shape), _count(node, param))
    return Vector(vector.labels, vector.values, shown, vector.drop)


def limit_ratio(frame: Frame, node: Aggregate, vector: Vector, groups: Groups, param: Value | None) -> Vector:
    """Keep the elements whose labels fall into the share; a negative ratio takes the rest."""
    assert isinstance(param, np.ndarray)
    assert node.param is not None
    if np.isnan(param).any():
        raise QueryInvalid("the ratio is NaN", node.param.start, node.param.end)
    for ratio in np.unique(param[np.abs(param) > 1]):
        capped = math.copysign(1, ratio)
        frame.query.warn(
            f"PromQL warning: ratio value should be between -1 and 1, got {ratio:g}, capping to {capped:g}", node.param
        )
    place = MEMO.get(_places, (vector.labels,))[:, None]
    shown = vector.present & np.where(param >= 0, place < param, place >= 1 + param)
    return Vector(vector.labels, vector.values, shown, vector.drop)


def count_values(frame: Frame, node: Aggregate, vector: Vector, groups: Groups, param: Value | None) -> Vector:
    """One series per group and value, which counts how often the value is there."""
    assert isinstance(param, str)
    assert node.param is not None
    if not valid_label(param):
        raise QueryInvalid(f"{param!r} is not the name of a label", node.param.start, node.param.end)
    rows, steps = np.nonzero(vector.present)
    values, which = np.unique(vector.values[rows, steps], return_inverse=True)
    # One key per group and value; each becomes a series.
    keys, series = np.unique(groups.ids[rows] * len(values) + which, return_inverse=True)
    frame.query.check_size(len(keys), len(keys) * frame.steps, node)
    counts = np.zeros((len(keys), frame.steps))
    np.add.at(counts, (series, steps), 1.0)
    group, value = keys // max(len(values), 1), keys % max(len(values), 1)
    labels = [
        groups.labels[of].merge({param: _plain(float(values[at]))})
        for of, at in zip(group.tolist(), value.tolist(), strict=True)
    ]
    drop = groups.any_of(vector.drop & vector.present.any(axis=1))[group] & (param != NAME)
    return Vector(labels, counts, counts > 0, drop)


def _plain(value: float) -> str:
    """Write a float as Go's FormatFloat(…, 'f', -1): never with an exponent."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return np.format_float_positional(value, trim="-")


def _count(node: Aggregate, param: Value | None) -> Indices:
    """Return k of each step."""
    assert isinstance(param, np.ndarray)
    assert node.param is not None
    if np.isnan(param).any():
        raise QueryInvalid(f"the k of {node.op} is NaN", node.param.start, node.param.end)
    if (np.abs(param) >= 2**63).any():
        raise QueryInvalid(f"the k of {node.op} overflows 64 bits", node.param.start, node.param.end)
    return param.astype(np.int64)


def _kept(vector: Vector, groups: Groups, keys: Values, k: Indices) -> Mask:
    """Say which elements are among the k first of their group at their step."""
    ids = np.broadcast_to(groups.ids[:, None], keys.shape)
    order = np.lexsort((keys, np.isnan(keys), ~vector.present, ids), axis=0)
    # Rows of a group are as many at each step, so a group's ranks begin at the same place in each.
    ranks = np.arange(len(keys)) - np.repeat(groups.bounds[:-1], np.diff(groups.bounds))
    kept = np.zeros(keys.shape, dtype=np.bool_)
    np.put_along_axis(kept, order, ranks[:, None] < k, axis=0)
    return kept & vector.present


def _best_first(picked: Vector, groups: Groups, keys: Values) -> Vector:
    """Order the elements of an instant query as people read them."""
    rows = np.flatnonzero(picked.present[:, 0])
    rows = rows[np.lexsort((keys[rows, 0], np.isnan(keys[rows, 0]), groups.ids[rows]))]
    labels = [picked.labels[row] for row in rows.tolist()]
    return Vector(labels, picked.values[rows], picked.present[rows], picked.drop[rows])


def _places(labels: LabelList) -> Values:
    """Return a number from 0 to 1 for each series, by its labels alone: the one that Prometheus gives it."""
    return np.array([xxh64(_packed(series)) / 2**64 for series in labels])


def _packed(series: Labels) -> bytes:
    """Return labels as Prometheus's default build packs and hashes them: each text behind its length."""
    packed = bytearray()
    for text in (text for pair in series for text in pair):
        data = text.encode("utf-8", "surrogateescape")
        packed += bytes([len(data)]) if len(data) < 255 else b"\xff" + len(data).to_bytes(3, "little")
        packed += data
    return bytes(packed)


KERNELS: dict[str, Ranking] = {
    "topk": _extreme(greatest=True),
    "bottomk": _extreme(greatest=False),
    "limitk": limitk,
    "limit_ratio": limit_ratio,
    "count_values": count_values,
}
