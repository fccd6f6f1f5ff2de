"""Selectors: what the source holds, cut to the steps of the evaluation."""

from __future__ import annotations

import numpy as np

from sentinel.core.search import first_after
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Values, Windows, is_stale
from sentinel.promql.ast import MatrixSelector, Subquery, VectorSelector
from sentinel.promql.frame import Frame
from sentinel.promql.values import Indices, Ranges, Times, Vector, every, keeping


def ends_of(node: VectorSelector | Subquery, frame: Frame) -> Instants:
    """Return the instants that a selector looks at, after `@` and `offset`."""
    times = frame.times if node.at is None else np.full_like(frame.times, frame.fixed(node.at))
    offset = frame.resolve(node.offset, node)
    return times - offset if offset else times


def select_instant(node: VectorSelector, frame: Frame) -> Vector:
    """Return the newest sample of each series that is not older than its lookback and not a stale marker."""
    found = frame.query.source.windows(node.matchers, ends_of(node, frame), None)
    shape = (len(found.labels), frame.steps)
    frame.query.check_size(len(found.labels), len(found.labels) * frame.steps, node)
    if not len(found.v):
        return Vector(found.labels, np.zeros(shape), np.zeros(shape, dtype=np.bool_), keeping(shape[0]))
    newest = np.maximum(found.hi - 1, 0)
    present = found.hi > found.lo
    values = found.v[newest]
    if found.has_stale:
        present &= ~is_stale(values)
    times = found.ts[newest].astype(np.int64) + found.epoch_ms
    return Vector(found.labels, values, present, keeping(shape[0]), times)


def select_range(node: MatrixSelector, frame: Frame) -> Ranges:
    """Return the windows of each series, without stale markers."""
    length = frame.length(node.range, node)
    ends = ends_of(node.selector, frame)
    found = _reaching_back(node, ends, length, frame) if node.anchored else _windows(node, ends, length, frame)
    ts, v, lo, hi = _without_stale(found)
    return Ranges(found.labels, keeping(len(lo)), ts, v, lo, hi, ends - length, ends, found.epoch_ms)


def _windows(node: MatrixSelector, ends: Instants, length: int, frame: Frame) -> Windows:
    found = frame.query.source.windows(node.selector.matchers, ends, length)
    held = found.lo.size
    if held and len(found.v) > frame.query.limits.samples:  # else no window can hold too many
        held = max(held, int((found.hi.max(axis=1) - found.lo.min(axis=1)).sum()))
    frame.query.check_size(len(found.labels), held, node)
    return found


def _reaching_back(node: MatrixSelector, ends: Instants, length: int, frame: Frame) -> Windows:
    """Return windows that begin with the last sample before them, unless that is older than the series' lookback."""
    reach = DEFAULT_LOOKBACK_MS
    found = _windows(node, ends, length + reach, frame)
    if (longest := int(found.lookback_ms.max(initial=0))) > reach:
        reach = longest
        found = _windows(node, ends, length + reach, frame)
    ts, v, lo, hi = _without_stale(found)
    starts = (ends - length - found.epoch_ms)[None, :]
    inside = first_after(ts, lo, hi, starts)
    anchor = np.maximum(inside - 1, 0)
    near = (inside > lo) & (ts[anchor] > starts - found.lookback_ms[:, None]) if len(ts) else inside > lo
    # A window without a sample of its own stays empty, however near its anchor is.
    lo = np.where(near & (hi > inside), anchor, inside)
    return Windows(found.labels, found.ids, ts, v, lo, hi, found.lookback_ms, has_stale=False, epoch_ms=found.epoch_ms)


def _without_stale(found: Windows) -> tuple[Times, Values, Indices, Indices]:
    """Return times, values and windows less the stale markers."""
    if not found.has_stale or every(keep := ~is_stale(found.v)):
        return found.ts, found.v, found.lo, found.hi
    places = np.concatenate(([0], np.cumsum(keep)))
    return found.ts[keep], found.v[keep], places[found.lo], places[found.hi]
