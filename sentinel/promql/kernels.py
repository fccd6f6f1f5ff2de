"""Statistics of the cells of `cells.py`; functions over time and aggregations share them.

Each takes the number of values of every row, then the rows. Sums are exact where it shows: `1e100 + 1 - 1e100` is 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from sentinel.core.windows import Values
from sentinel.promql.values import Indices, Mask, every, some


def total(counts: Indices, rows: Values) -> Values:
    """Return the sums; rows are filled up with 0."""
    return _exactly(rows.sum(axis=1, dtype=np.longdouble).astype(np.float64), counts, rows, _compensated_sum)


def mean(counts: Indices, rows: Values) -> Values:
    """Return the averages; rows are filled up with 0."""
    sums = rows.sum(axis=1, dtype=np.longdouble)
    return _exactly((sums / counts).astype(np.float64), counts, rows, _compensated_mean, counts)


def least(counts: Indices, rows: Values) -> Values:
    """Return the least values; a NaN only where there is nothing else."""
    found: Values = np.fmin.reduce(rows, axis=1)
    return found


def greatest(counts: Indices, rows: Values) -> Values:
    """Return the greatest values; a NaN only where there is nothing else."""
    found: Values = np.fmax.reduce(rows, axis=1)
    return found


def variance(counts: Indices, rows: Values) -> Values:
    """Return the population variances; rows may be filled up with anything."""
    # Measured from the first value, so that equal values have a variance of exactly 0.
    valid = _valid(counts, rows)
    shifted = np.where(valid, rows - rows[:, :1], 0.0)
    shifted = np.where(valid, shifted - (shifted.sum(axis=1) / counts)[:, None], 0.0)
    found: Values = (shifted * shifted).sum(axis=1) / counts
    return found


def deviation(counts: Indices, rows: Values) -> Values:
    """Return the population standard deviations."""
    return np.sqrt(variance(counts, rows))


def quantile(counts: Indices, rows: Values, q: Values) -> Values:
    """Return the q-quantiles; rows are filled up with +Inf. NaN counts as the least value, as in Prometheus."""
    ordered = np.sort(rows, axis=1)
    nans = np.isnan(rows).sum(axis=1)
    rank = np.where((q >= 0) & (q <= 1), q, 0.0) * (counts - 1)
    lower = np.floor(rank).astype(np.int64)
    upper = np.minimum(lower + 1, counts - 1)
    weight = rank - lower
    low, high = _nth(ordered, nans, lower), _nth(ordered, nans, upper)
    # Infinity times a weight of 0 is NaN, in Prometheus as well.
    found = low * (1 - weight) + high * weight
    found = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, found))
    return np.where(np.isnan(q), np.nan, found)


def median_deviation(counts: Indices, rows: Values) -> Values:
    """Return the medians of the absolute deviations from the median; rows are filled up with +Inf."""
    half = np.full(len(counts), 0.5)
    middle = quantile(counts, rows, half)
    spread = quantile(counts, np.abs(rows - middle[:, None]), half)
    return np.where(np.isnan(rows).any(axis=1), np.nan, spread)


def changes(counts: Indices, rows: Values) -> Values:
    """Return how often the value changed; rows are filled up with their last value."""
    before, after = rows[:, :-1], rows[:, 1:]
    changed: Mask = (before != after) & ~(np.isnan(before) & np.isnan(after))
    return _number_of(changed)


def resets(counts: Indices, rows: Values) -> Values:
    """Return how often the value fell; rows are filled up with their last value."""
    fell: Mask = rows[:, 1:] < rows[:, :-1]
    return _number_of(fell)


def lost(counts: Indices, rows: Values) -> Values:
    """Return what a counter had reached at each of its resets, summed; rows are filled up with their last value."""
    before = rows[:, :-1]
    fell = rows[:, 1:] < before
    if not some(fell):
        return np.zeros(len(rows))
    found: Values = np.where(fell, before, 0.0).sum(axis=1)
    return found


def _number_of(flags: Mask) -> Values:
    numbers: Values = flags.sum(axis=1).astype(np.float64)
    return numbers


def _valid(counts: Indices, rows: Values) -> Mask:
    return np.arange(rows.shape[1]) < counts[:, None]


def _nth(ordered: Values, nans: Indices, index: Indices) -> Values:
    """Return the value at each index of rows in which the NaNs are to come first, though numpy sorts them last."""
    found = np.take_along_axis(ordered, np.maximum(index - nans, 0)[:, None], axis=1)[:, 0]
    return np.where(index < nans, np.nan, found)


def _exactly(
    quick: Values,
    counts: Indices,
    rows: Values,
    slow: Callable[[list[float]], float],
    scale: Indices | int = 1,
) -> Values:
    """Compute again, one by one, where the terms cancel or overflow: there a plain sum may have no right digit."""
    if every(rows >= 0) and every(np.isfinite(quick)):
        return quick  # nothing can cancel
    size = np.abs(rows).sum(axis=1)
    doubtful = (counts > 0) & ~(np.abs(quick * scale) >= 1e-6 * size)
    if not some(doubtful):
        return quick
    for row in np.flatnonzero(doubtful):
        values = rows[row, : counts[row]]
        if np.isfinite(values).all():
            quick[row] = slow(values.tolist())
    return quick


def _add(value: float, so_far: float, rest: float) -> tuple[float, float]:
    """Add by Neumaier's method: the sum, and what its rounding left."""
    result = so_far + value
    if math.isinf(result):
        return result, 0.0
    lost_digits = (so_far - result) + value if abs(so_far) >= abs(value) else (value - result) + so_far
    return result, rest + lost_digits


def _compensated_sum(values: list[float]) -> float:
    so_far = rest = 0.0
    for value in values:
        so_far, rest = _add(value, so_far, rest)
    return so_far if math.isinf(so_far) else so_far + rest


def _compensated_mean(values: list[float]) -> float:
    """Sum, then divide; from where the sum overflows on, move the average along with each value instead."""
    so_far, rest, moving = 0.0, 0.0, False
    for index, value in enumerate(values):
        count = index + 1
        if not moving:
            result, left = _add(value, so_far, rest)
            if not math.isinf(result):
                so_far, rest = result, left
                continue
            moving, so_far, rest = True, so_far / index, rest / index
        share = index / count
        so_far, rest = _add(value / count, share * so_far, share * rest)
    return so_far + rest if moving else (so_far + rest) / len(values)
