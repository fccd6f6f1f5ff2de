"""Lines and curves through a window: deriv, predict_linear, double_exponential_smoothing."""

from __future__ import annotations

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.windows import Values
from sentinel.promql.ast import Call
from sentinel.promql.cells import reduce_cells
from sentinel.promql.frame import Frame
from sentinel.promql.values import Function, Indices, Ranges, Times, Vector, dropping


def deriv(frame: Frame, call: Call, windows: Ranges) -> Vector:
    """Slope per second."""
    slopes = reduce_cells(_slope, (windows.v, windows.ts), windows.lo, windows.hi, tick=lambda: frame.query.tick(call))
    return _of_two(windows, slopes)


def predict_linear(frame: Frame, call: Call, windows: Ranges, ahead: Values) -> Vector:
    """Where the line will be, counted from the evaluation and not from the end of the window."""
    aims = frame.times - windows.epoch_ms + ahead * 1000
    values = reduce_cells(
        _line,
        (windows.v, windows.ts),
        windows.lo,
        windows.hi,
        np.broadcast_to(aims, windows.lo.shape),
        tick=lambda: frame.query.tick(call),
    )
    return _of_two(windows, values)


def smoothing(frame: Frame, call: Call, windows: Ranges, factor: Values, trend: Values) -> Vector:
    """Holt's linear method."""
    for name, given, at in (("smoothing", factor, call.args[1]), ("trend", trend, call.args[2])):
        if ((given <= 0) | (given >= 1)).any():
            raise QueryInvalid(f"the {name} factor must be greater than 0 and less than 1", at.start, at.end)
    shape = windows.lo.shape
    values = reduce_cells(
        _smoothed,
        (windows.v,),
        windows.lo,
        windows.hi,
        np.broadcast_to(factor, shape),
        np.broadcast_to(trend, shape),
        tick=lambda: frame.query.tick(call),
    )
    return _of_two(windows, values)


def _fit(counts: Indices, rows: Values, times: Times) -> tuple[Values, Values, Values]:
    """Return slope per second, average value, and average time in seconds after the first sample of each row."""
    valid = np.arange(rows.shape[1]) < counts[:, None]
    # Equal values give a slope of exactly 0, whatever the rounding of their average.
    rows = np.where(valid, rows, 0.0)
    since = np.where(valid, (times - times[:, :1]) / 1000, 0.0)
    mean_since = since.sum(axis=1) / counts
    begin = rows[:, 0]
    mean_value = np.where(valid, rows - begin[:, None], 0.0).sum(axis=1) / counts
    off = np.where(valid, since - mean_since[:, None], 0.0)
    slope = (off * np.where(valid, rows - begin[:, None] - mean_value[:, None], 0.0)).sum(axis=1) / (off * off).sum(
        axis=1
    )
    return slope, begin + mean_value, mean_since


def _slope(counts: Indices, rows: Values, times: Times) -> Values:
    return _fit(counts, rows, times)[0]


def _line(counts: Indices, rows: Values, times: Times, aims: Values) -> Values:
    slope, mean_value, mean_since = _fit(counts, rows, times)
    # Differences of times first: a time in milliseconds leaves no room for fractions.
    return mean_value + slope * ((aims - times[:, 0]) / 1000 - mean_since)


def _smoothed(counts: Indices, rows: Values, factor: Values, trend: Values) -> Values:
    if rows.shape[1] < 2:
        return rows[:, 0]
    before, level, slope = rows[:, 0], rows[:, 0], rows[:, 1] - rows[:, 0]
    for index in range(1, rows.shape[1]):
        moved = slope if index == 1 else trend * (level - before) + (1 - trend) * slope
        reached = factor * rows[:, index] + (1 - factor) * (level + moved)
        going_on = index < counts
        slope = np.where(going_on, moved, slope)
        before, level = np.where(going_on, level, before), np.where(going_on, reached, level)
    return level


def _of_two(windows: Ranges, values: Values) -> Vector:
    """Return the result, which needs two samples."""
    return Vector(windows.labels, values, windows.hi - windows.lo > 1, dropping(len(windows.labels)))


KERNELS: dict[str, Function] = {
    "deriv": deriv,
    "predict_linear": predict_linear,
    "double_exponential_smoothing": smoothing,
    "holt_winters": smoothing,
}
