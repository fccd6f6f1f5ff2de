"""Subqueries: an expression at regular instants, as if it were a series."""

from __future__ import annotations

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.windows import Instants
from sentinel.promql.answer import unite
from sentinel.promql.ast import Subquery
from sentinel.promql.frame import Frame
from sentinel.promql.select import ends_of
from sentinel.promql.values import Ranges, Vector

#: The step of `[1h:]`: Prometheus's default evaluation interval.
DEFAULT_STEP_MS = 60_000


def inner_times(node: Subquery, frame: Frame) -> Instants:
    """Return the instants at which the inner expression is to be evaluated.

    They are whole multiples of the step since 1970, so that they are the same whenever one asks.
    """
    ends, length, step = ends_of(node, frame), frame.length(node.range, node), _step(node, frame)
    if not len(ends):  # the steps of an enclosing subquery, whose range may hold none
        return ends
    first = (int(ends[0]) - length) // step * step + step
    count = (int(ends[-1]) - first) // step + 1
    if count > frame.query.limits.samples:
        raise QueryInvalid(
            f"the subquery has {count} steps, more than the {frame.query.limits.samples} samples that a query may hold",
            node.start,
            node.end,
            "lengthen its step or shorten its range",
        )
    return first + np.arange(max(count, 0), dtype=np.int64) * step


def _step(node: Subquery, frame: Frame) -> int:
    return DEFAULT_STEP_MS if node.step is None else frame.length(node.step, node)


def as_ranges(node: Subquery, frame: Frame, times: Instants, inner: Vector) -> Ranges:
    """Cut the inner expression's values into windows, one per outer step."""
    inner = unite(inner, node)
    ends, length = ends_of(node, frame), frame.length(node.range, node)
    begin = np.searchsorted(times, ends - length, side="right")
    stop = np.maximum(np.searchsorted(times, ends, side="right"), begin)
    places = np.concatenate(([0], np.cumsum(inner.present.ravel()))).astype(np.int64)
    rows = np.arange(len(inner.labels))[:, None] * len(times)
    lo, hi = places[rows + begin], places[rows + stop]
    ts = np.broadcast_to(times, inner.present.shape)[inner.present]
    return Ranges(inner.labels, inner.drop, ts, inner.values[inner.present], lo, hi, ends - length, ends)
