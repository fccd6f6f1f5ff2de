"""Statistics of a window: everything that ends in `_over_time`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sentinel.core.windows import Values
from sentinel.promql import kernels
from sentinel.promql.ast import Call, Expr
from sentinel.promql.cells import reduce_cells
from sentinel.promql.frame import Frame
from sentinel.promql.values import Function, Indices, Ranges, Vector, dropping, every

WindowFunction = Callable[[Frame, Call, Ranges], Vector]


def over_time(kernel: Callable[..., Values], fill: float | None = None) -> WindowFunction:
    """Return the function that computes one number from the values of each window."""

    def compute(frame: Frame, call: Call, windows: Ranges) -> Vector:
        def tick() -> None:
            frame.query.tick(call)

        values = reduce_cells(kernel, (windows.v,), windows.lo, windows.hi, fill=fill, tick=tick)
        return _result(windows, values)

    return compute


def count(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """How many samples."""
    return _result(windows, (windows.hi - windows.lo).astype(np.float64))


def present(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """1 where there is any sample."""
    return _result(windows, np.ones(windows.lo.shape))


def last(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Newest value; keeps its name."""
    return Vector(windows.labels, _at(windows, windows.hi - 1), windows.hi > windows.lo, windows.drop)


def first(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Oldest value; keeps its name."""
    return Vector(windows.labels, _at(windows, windows.lo), windows.hi > windows.lo, windows.drop)


def time_of_first(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """When the oldest sample was taken."""
    return _result(windows, _seconds(windows, windows.lo))


def time_of_last(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """When the newest sample was taken."""
    return _result(windows, _seconds(windows, windows.hi - 1))


def time_of_extreme(sign: int) -> WindowFunction:
    """Return the function that tells when the greatest (1) or least (-1) value was last seen."""

    def place(counts: Indices, rows: Values) -> Values:
        backwards = (sign * rows)[:, ::-1]
        # Rows are filled up with NaN, and a NaN is extreme only where there is nothing else.
        found = np.argmax(np.where(np.isnan(backwards), -np.inf, backwards), axis=1)
        found = rows.shape[1] - 1 - found
        only_nan = np.isnan(rows).all(axis=1)
        return np.where(only_nan, counts - 1, np.minimum(found, counts - 1)).astype(np.float64)

    def compute(frame: Frame, call: Call, windows: Ranges) -> Vector:
        def tick() -> None:
            frame.query.tick(call)

        places = reduce_cells(place, (windows.v,), windows.lo, windows.hi, fill=np.nan, tick=tick)
        return _result(windows, _seconds(windows, windows.lo + places.astype(np.int64)))

    return compute


def quantile(frame: Frame, call: Call, q: Values, windows: Ranges) -> Vector:
    """The q-quantile; q may differ from step to step."""
    doubt_quantile(frame, call.args[0], q)
    wanted = np.broadcast_to(q, windows.lo.shape)

    def tick() -> None:
        frame.query.tick(call)

    values = reduce_cells(kernels.quantile, (windows.v,), windows.lo, windows.hi, wanted, fill=np.inf, tick=tick)
    return _result(windows, values)


def doubt_quantile(frame: Frame, at: Expr, q: Values) -> None:
    """Warn of a quantile that is none."""
    if every(sound := (q >= 0) & (q <= 1)):
        return
    for value in np.unique(q[~sound]):
        frame.query.warn(f"PromQL warning: quantile value should be between 0 and 1, got {_go_float(float(value))}", at)


def _go_float(value: float) -> str:
    return "NaN" if np.isnan(value) else f"{value:+g}".capitalize() if np.isinf(value) else f"{value:g}"


def _result(windows: Ranges, values: Values) -> Vector:
    return Vector(windows.labels, values, windows.hi > windows.lo, dropping(len(windows.labels)))


def _at(windows: Ranges, index: Indices) -> Values:
    if not len(windows.v):
        return np.zeros(index.shape)
    return windows.v[np.clip(index, 0, len(windows.v) - 1)]


def _seconds(windows: Ranges, index: Indices) -> Values:
    if not len(windows.ts):
        return np.zeros(index.shape)
    times: Values = (windows.ts[np.clip(index, 0, len(windows.ts) - 1)].astype(np.int64) + windows.epoch_ms) / 1000
    return times


KERNELS: dict[str, Function] = {
    "avg_over_time": over_time(kernels.mean, fill=0.0),
    "min_over_time": over_time(kernels.least),
    "max_over_time": over_time(kernels.greatest),
    "sum_over_time": over_time(kernels.total, fill=0.0),
    "count_over_time": count,
    "last_over_time": last,
    "first_over_time": first,
    "present_over_time": present,
    "stddev_over_time": over_time(kernels.deviation),
    "stdvar_over_time": over_time(kernels.variance),
    "mad_over_time": over_time(kernels.median_deviation, fill=np.inf),
    "ts_of_min_over_time": time_of_extreme(-1),
    "ts_of_max_over_time": time_of_extreme(1),
    "ts_of_first_over_time": time_of_first,
    "ts_of_last_over_time": time_of_last,
    "quantile_over_time": quantile,
}
