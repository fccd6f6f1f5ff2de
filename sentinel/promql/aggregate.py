"""Aggregations: elements of an instant vector, group by group.

The elements of a group at a step lie side by side in a flat array, as the samples of a window do, so the kernels are
those of the functions over time.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sentinel.core.windows import Values
from sentinel.promql import kernels, ranking
from sentinel.promql.ast import Aggregate
from sentinel.promql.cells import reduce_cells
from sentinel.promql.frame import Frame
from sentinel.promql.functions.overtime import doubt_quantile
from sentinel.promql.grouping import Groups, groups_of
from sentinel.promql.values import Indices, Mask, Value, Vector, dropping, every, keeping, nothing, some


def aggregate(frame: Frame, node: Aggregate, vector: Vector, param: Value | None) -> Vector:
    """Return the aggregation of an evaluated vector."""
    if not len(vector.labels):
        return nothing(frame.steps)
    groups = groups_of(node, vector.labels)
    if node.op in ranking.KERNELS:
        return ranking.KERNELS[node.op](frame, node, vector, groups, param)
    flat, lo, hi = _laid_out(groups, vector)

    def tick() -> None:
        frame.query.tick(node)

    if node.op in _REDUCTIONS:
        kernel, fill = _REDUCTIONS[node.op]
        values = reduce_cells(kernel, (flat,), lo, hi, fill=fill, tick=tick)
    elif node.op == "quantile":
        assert isinstance(param, np.ndarray)
        assert node.param is not None
        doubt_quantile(frame, node.param, param)
        q = np.broadcast_to(param[:, None], lo.shape)
        values = reduce_cells(kernels.quantile, (flat,), lo, hi, q, fill=np.inf, tick=tick)
    elif node.op == "count":
        values = (hi - lo).astype(np.float64)
    else:
        values = np.ones(lo.shape)
    return Vector(groups.labels, values.T, (hi > lo).T, _drop(groups, vector))


def _drop(groups: Groups, vector: Vector) -> Mask:
    """A group loses its name if any of its elements does; what is never there does not count."""
    if not some(vector.drop):
        return keeping(len(groups.labels))
    if every(vector.drop):
        return dropping(len(groups.labels))
    return groups.any_of(vector.drop & vector.present.any(axis=1))


def _laid_out(groups: Groups, vector: Vector) -> tuple[Values, Indices, Indices]:
    """Return the values, step after step and group after group, and each cell's bounds, of shape (T, G)."""
    values, present = groups.sort(vector.values), groups.sort(vector.present)
    series, steps = values.shape
    complete = every(present)
    if steps == 1 and complete:
        return values[:, 0], groups.bounds[None, :-1], groups.bounds[None, 1:]
    begins = np.arange(steps)[:, None] * series
    lo, hi = begins + groups.bounds[:-1], begins + groups.bounds[1:]
    if complete:
        return values.T.ravel(), lo, hi
    shown = present.T.ravel()
    places = np.concatenate(([0], np.cumsum(shown)))
    return values.T.ravel()[shown], places[lo], places[hi]


_REDUCTIONS: dict[str, tuple[Callable[..., Values], float | None]] = {
    "sum": (kernels.total, 0.0),
    "avg": (kernels.mean, 0.0),
    "min": (kernels.least, None),
    "max": (kernels.greatest, None),
    "stddev": (kernels.deviation, None),
    "stdvar": (kernels.variance, None),
}

#: Every aggregation that has a kernel; a test compares it with the signatures.
NAMES = {*_REDUCTIONS, *ranking.KERNELS, "quantile", "count", "group"}
