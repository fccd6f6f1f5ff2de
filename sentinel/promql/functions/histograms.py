"""Classic histograms: quantiles and shares from cumulative buckets, each a series with its upper bound in `le`.

All histograms of a vector are computed together: bucket b of histogram h at step t is `counts[h, b, t]`. Histograms
with fewer buckets than others have empty places before their first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import NAME, Labels
from sentinel.core.windows import Values
from sentinel.promql.answer import unite
from sentinel.promql.ast import Call, Expr
from sentinel.promql.frame import Frame
from sentinel.promql.functions.overtime import doubt_quantile
from sentinel.promql.literal import number
from sentinel.promql.memo import MEMO, LabelList
from sentinel.promql.selectors import valid_label
from sentinel.promql.values import Function, Indices, Mask, Vector, dropping, every, some

#: Smaller relative differences between neighbouring buckets are rounding, not observations.
TOLERANCE = 1e-12
_SMALLEST = 2.2250738585072014e-308


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where the series of a vector belong.

    Args:
        labels: of the H histograms, without `le`.
        rows: of shape (R,), series that are buckets, ordered by place.
        places: of shape (R,), the place of each in a flat array of H x B; several may share one ("1" and "1.0").
        bounds: of shape (H, B), upper bounds, NaN where there is no bucket.
        shared: whether any place has several series.
        bad: series whose `le` is missing or no number.
    """

    labels: LabelList
    rows: Indices
    places: Indices
    bounds: Values
    shared: bool
    bad: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Buckets:
    """The buckets of H histograms at T steps.

    Args:
        labels: of the histograms.
        counts: of shape (H, B, T), cumulative; a missing bucket repeats the one before it, the first ones hold -Inf.
        bounds: of the same shape, upper bounds; a missing bucket repeats the one before it, the first ones hold NaN.
        number: of shape (H, T), how many buckets there are.
        closed: of shape (H, T), whether the last bucket is +Inf, as it must be.
        forced: of shape (H, T), whether counts fell and were raised.
    """

    labels: LabelList
    counts: Values
    bounds: Values
    number: Indices
    closed: Mask
    forced: Mask


def quantile(frame: Frame, call: Call, q: Values, vector: Vector) -> Vector:
    """One quantile per histogram."""
    doubt_quantile(frame, call.args[0], q)
    buckets = _buckets(frame, vector, call.args[1], monotonic=True)
    return _result(buckets, _quantile(buckets, q))


def quantiles(frame: Frame, call: Call, vector: Vector, label: str, *wanted: Values) -> Vector:
    """Several quantiles per histogram, told apart by a label."""
    if not valid_label(label):
        raise QueryInvalid(f"{label!r} is not the name of a label", call.args[1].start, call.args[1].end)
    buckets = _buckets(frame, vector, call.args[0], monotonic=True)
    parts: list[tuple[Values, Mask]] = []
    labels: list[Labels] = []
    for place, q in enumerate(wanted):
        doubt_quantile(frame, call.args[2 + place], q)
        distinct = dict.fromkeys(q.tolist())
        series = len(labels) + len(distinct) * len(buckets.labels)
        frame.query.check_size(series, series * frame.steps, call)
        for value in distinct:
            found = _quantile(buckets, np.full(frame.steps, value))
            shown = (buckets.number > 0) & ((q == value) | (np.isnan(q) & math.isnan(value)))
            parts.append((found, shown))
            labels += [row.merge({label: _open_metrics(value)}) for row in buckets.labels]
    values = np.concatenate([found for found, _ in parts])
    present = np.concatenate([shown for _, shown in parts])
    return unite(Vector(labels, values, present, dropping(len(labels))), call)


def fraction(frame: Frame, call: Call, lower: Values, upper: Values, vector: Vector) -> Vector:
    """The share of observations between two values."""
    buckets = _buckets(frame, vector, call.args[2], monotonic=False)
    if not len(buckets.labels):
        return _result(buckets, np.zeros((0, frame.steps)))
    total = buckets.counts[:, -1, :]
    share = (_rank_of(buckets, upper) - _rank_of(buckets, lower)) / total
    share = np.where(lower >= upper, 0.0, share)
    unknown = ~buckets.closed | (total == 0) | np.isnan(lower) | np.isnan(upper)
    return _result(buckets, np.where(unknown, np.nan, share))


def _result(buckets: _Buckets, values: Values) -> Vector:
    return Vector(buckets.labels, values, buckets.number > 0, dropping(len(buckets.labels)))


def _quantile(buckets: _Buckets, q: Values) -> Values:
    """Return the quantile q, of shape (T,), of each histogram."""
    counts, bounds = buckets.counts, buckets.bounds
    if not counts.size:
        return np.full(buckets.number.shape, np.nan)
    observations = counts[:, -1, :]
    rank = q * observations
    reached = counts[:, :-1, :] >= rank[:, None, :]
    # Where no other bucket reaches the rank, it is in the last, whose lower bound is the best answer.
    chosen = np.where(reached.any(axis=1), reached.argmax(axis=1), counts.shape[1] - 1) if reached.size else None
    if chosen is None:
        found = np.full(buckets.number.shape, np.nan)
    else:
        end, count = _pick(bounds, chosen), _pick(counts, chosen)
        begin, below = _pick(bounds, np.maximum(chosen - 1, 0)), _pick(counts, np.maximum(chosen - 1, 0))
        lowest = (chosen == 0) | np.isinf(below)
        begin, below = np.where(lowest, 0.0, begin), np.where(lowest, 0.0, below)
        found = begin + (end - begin) * ((rank - below) / (count - below))
        found = np.where(lowest & (end <= 0), end, found)
        found = np.where(chosen == counts.shape[1] - 1, bounds[:, -2, :], found)
    found = np.where(buckets.closed & (buckets.number > 1) & (observations != 0), found, np.nan)
    if every((q >= 0) & (q <= 1)):
        return found
    return np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.where(np.isnan(q), np.nan, found)))


def _rank_of(buckets: _Buckets, value: Values) -> Values:
    """Return how many observations are at or below a value."""
    counts, bounds = buckets.counts, buckets.bounds
    # The first bucket begins at 0 if it ends above, else it has no beginning.
    first = np.nan_to_num(bounds, nan=-np.inf)
    begins = np.concatenate([np.full_like(bounds[:, :1, :], -np.inf), first[:, :-1, :]], axis=1)
    below = np.concatenate([np.zeros_like(counts[:, :1, :]), np.maximum(counts[:, :-1, :], 0.0)], axis=1)
    begins = np.where(np.isinf(begins) & (begins < 0) & (first > 0), 0.0, begins)
    missing = np.isnan(bounds)
    at_begin = (begins >= value) & ~missing
    inside = (begins < value) & (bounds > value) & ~missing
    within = np.where(np.isinf(begins), counts, below + (counts - below) * (value - begins) / (bounds - begins))
    rank = np.where(at_begin, below, within)
    hit = at_begin | inside
    chosen = hit.argmax(axis=1)
    total = counts[:, -1, :]
    return np.minimum(np.where(hit.any(axis=1), _pick(rank, chosen), total), total)


def _pick(array: Values, index: Indices) -> Values:
    # What `take_along_axis` does, in a third of its time.
    histograms, _, steps = array.shape
    picked: Values = array[np.arange(histograms)[:, None], index, np.arange(steps)]
    return picked


def _buckets(frame: Frame, vector: Vector, at: Expr, *, monotonic: bool) -> _Buckets:
    layout = MEMO.get(_layout, (vector.labels,))
    for row in layout.bad:
        if vector.present[row].any():
            _warn_of_label(frame, vector, row, at)
    histograms, width = layout.bounds.shape
    shape = (histograms, width, frame.steps)
    present, counts = _placed(layout, vector, shape)
    bounds = np.broadcast_to(layout.bounds[:, :, None], shape)
    number_of = present.sum(axis=1)
    closed = (
        present[:, -1, :] & (bounds[:, -1, :] == np.inf) if width else np.zeros((histograms, frame.steps), np.bool_)
    )
    if not every(present):
        counts, bounds = _filled(present, counts, bounds)
    forced = np.zeros((histograms, frame.steps), dtype=np.bool_)
    if monotonic and width:
        counts, forced = _monotonic(counts)
    for row in np.flatnonzero(forced.any(axis=1)).tolist() if some(forced) else ():
        name = layout.labels[row].get(NAME)
        frame.query.inform(
            "PromQL info: input to histogram_quantile needed to be fixed for monotonicity (see "
            "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)"
            + (f' for metric name "{name}"' if name else ""),
            at,
        )
    return _Buckets(layout.labels, counts, bounds, number_of, closed, forced)


def _placed(layout: _Layout, vector: Vector, shape: tuple[int, int, int]) -> tuple[Mask, Values]:
    """Put the series into their places; those that share a place are added up."""
    flat = (shape[0] * shape[1], shape[2])
    rows_present, rows_values = vector.present[layout.rows], vector.values[layout.rows]
    if len(layout.places) == flat[0] and not layout.shared:
        return rows_present.reshape(shape), rows_values.reshape(shape)
    present, counts = np.zeros(flat, dtype=np.bool_), np.zeros(flat)
    if layout.shared:
        np.logical_or.at(present, layout.places, rows_present)
        np.add.at(counts, layout.places, np.where(rows_present, rows_values, 0.0))
    else:
        present[layout.places], counts[layout.places] = rows_present, rows_values
    return present.reshape(shape), counts.reshape(shape)


def _filled(present: Mask, counts: Values, bounds: Values) -> tuple[Values, Values]:
    """Let a missing bucket repeat the one before it, so that no rank is reached in it."""
    counts, bounds = np.where(present, counts, -np.inf), np.where(present, bounds, np.nan)
    for place in range(1, counts.shape[1]):
        gone = ~present[:, place, :]
        counts[:, place, :] = np.where(gone, counts[:, place - 1, :], counts[:, place, :])
        bounds[:, place, :] = np.where(gone, bounds[:, place - 1, :], bounds[:, place, :])
    return counts, bounds


def _monotonic(counts: Values) -> tuple[Values, Mask]:
    """Even out differences that are rounding, and raise counts that fell; say where some fell."""
    before, after = counts[:, :-1, :], counts[:, 1:, :]
    forced = np.zeros((counts.shape[0], counts.shape[2]), dtype=np.bool_)
    if every((after == before) | (after > before * (1 + 4 * TOLERANCE) + 4 * TOLERANCE)):
        return counts, forced
    counts = counts.copy()
    reached = counts[:, 0, :]
    for place in range(1, counts.shape[1]):
        count = counts[:, place, :]
        rounding = _almost_equal(reached, count)
        fell = (count < reached) & ~rounding
        forced |= fell
        counts[:, place, :] = reached = np.where(rounding | fell, reached, count)
    return counts, forced


def _almost_equal(a: Values, b: Values) -> Mask:
    size, difference = np.abs(a) + np.abs(b), np.abs(a - b)
    tiny = (a == 0) | (b == 0) | (size < _SMALLEST)
    close = np.where(tiny, difference < TOLERANCE * _SMALLEST, difference / size < TOLERANCE)
    equal: Mask = (a == b) | (np.isfinite(difference) & close)
    return equal


def _layout(labels: LabelList) -> _Layout:
    found: dict[object, list[tuple[float, int]]] = {}
    bad = []
    for row, series in enumerate(labels):
        try:
            bound = _bound(series.get("le"))
        except ValueError:
            bad.append(row)
            continue
        found.setdefault(series.without("le"), []).append((bound, row))
    distinct = [sorted({bound for bound, _ in buckets}) for buckets in found.values()]
    width = max(map(len, distinct), default=0)
    bounds = np.full((len(found), width), np.nan)
    placed: list[tuple[int, int]] = []
    for histogram, (ends, buckets) in enumerate(zip(distinct, found.values(), strict=True)):
        bounds[histogram, width - len(ends) :] = ends
        place = {bound: histogram * width + width - len(ends) + index for index, bound in enumerate(ends)}
        placed += [(place[bound], row) for bound, row in buckets]
    placed.sort()
    places = np.array([place for place, _ in placed], dtype=np.int64)
    rows = np.array([row for _, row in placed], dtype=np.int64)
    return _Layout(list(found), rows, places, bounds, len(set(places.tolist())) < len(places), tuple(bad))  # type: ignore[arg-type]


def _bound(text: str) -> float:
    """Return the number of an `le`: as Go's ParseFloat, which knows signs and infinities but no octals."""
    sign, plain = (-1.0, text[1:]) if text.startswith("-") else (1.0, text.removeprefix("+"))
    if plain[:1] in "+-" or plain != plain.strip():
        raise ValueError(text)
    if plain.lower() in ("inf", "infinity"):
        return sign * math.inf
    return sign * (number(plain) if plain[:2].lower() == "0x" else float(plain))


def _warn_of_label(frame: Frame, vector: Vector, row: int, at: Expr) -> None:
    series = vector.labels[row]
    name = series.get(NAME)
    frame.query.warn(
        f'PromQL warning: bucket label "le" is missing or has a malformed value of "{series.get("le")}"'
        + (f' for metric name "{name}"' if name else ""),
        at,
    )


def _open_metrics(value: float) -> str:
    """Write a float as OpenMetrics does: 0.9, 1.0, +Inf."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    written = f"{value:g}" if abs(value) >= 1e21 else repr(value)
    return written if any(char in written for char in ".e") else f"{written}.0"


KERNELS: dict[str, Function] = {
    "histogram_quantile": quantile,
    "histogram_quantiles": quantiles,
    "histogram_fraction": fraction,
}
