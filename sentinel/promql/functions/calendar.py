"""Functions of time: the evaluation's, a sample's, and parts of a date in UTC."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels
from sentinel.core.windows import Values
from sentinel.promql.ast import Call
from sentinel.promql.frame import Frame
from sentinel.promql.values import Function, Indices, Vector, dropping, single


def now(frame: Frame, call: Call) -> Values:
    """Evaluation time."""
    return frame.times / 1000


def pi(frame: Frame, call: Call) -> Values:
    """The number."""
    return np.full(frame.steps, math.pi)


def of_query(milliseconds: Callable[[Frame], int]) -> Callable[[Frame, Call], Values]:
    """Return the function that tells something of the whole query, in seconds."""

    def tell(frame: Frame, call: Call) -> Values:
        return np.full(frame.steps, milliseconds(frame) / 1000)

    return tell


def timestamp(frame: Frame, call: Call, vector: Vector) -> Vector:
    """Of a bare selector, when the sample was taken."""
    taken = frame.times if vector.times_ms is None else vector.times_ms
    return vector.nameless(np.broadcast_to(taken / 1000, vector.values.shape))


def part_of_date(compute: Callable[[Indices], Indices]) -> Callable[..., Vector]:
    """Return the function that takes a part out of a date; `compute` gets whole seconds since 1970."""

    def take(frame: Frame, call: Call, vector: Vector | None = None) -> Vector:
        if vector is None:
            vector = single(Labels(), frame.times / 1000)
        # Go's year 292277026596 is as far as its calendar goes; a time without a date has no part.
        dated = np.abs(vector.values) < 9e12
        seconds = np.where(dated, vector.values, 0).astype(np.int64)
        parts = np.where(dated, compute(seconds), np.nan)
        return Vector(vector.labels, parts, vector.present, dropping(len(vector.labels)))

    return take


def _days(seconds: Indices) -> Indices:
    return seconds // 86_400


def _dates(seconds: Indices, unit: str) -> NDArray[np.datetime64]:
    dates: NDArray[np.datetime64] = seconds.astype("datetime64[s]").astype(f"datetime64[{unit}]")
    return dates


def _whole(units: NDArray[Any]) -> Indices:
    return units.astype(np.int64)


def _day_of_month(seconds: Indices) -> Indices:
    return _whole(_dates(seconds, "D") - _dates(seconds, "M").astype("datetime64[D]")) + 1


def _day_of_year(seconds: Indices) -> Indices:
    return _whole(_dates(seconds, "D") - _dates(seconds, "Y").astype("datetime64[D]")) + 1


def _days_in_month(seconds: Indices) -> Indices:
    months = _dates(seconds, "M")
    return _whole((months + np.timedelta64(1, "M")).astype("datetime64[D]") - months.astype("datetime64[D]"))


KERNELS: dict[str, Function] = {
    "time": now,
    "pi": pi,
    "timestamp": timestamp,
    "start": of_query(lambda frame: frame.query.start_ms),
    "end": of_query(lambda frame: frame.query.end_ms),
    "step": of_query(lambda frame: frame.query.step_ms),
    "range": of_query(lambda frame: frame.query.end_ms - frame.query.start_ms),
    "minute": part_of_date(lambda seconds: seconds // 60 % 60),
    "hour": part_of_date(lambda seconds: seconds // 3_600 % 24),
    # 1 January 1970 was a Thursday.
    "day_of_week": part_of_date(lambda seconds: (_days(seconds) + 4) % 7),
    "day_of_month": part_of_date(_day_of_month),
    "day_of_year": part_of_date(_day_of_year),
    "days_in_month": part_of_date(_days_in_month),
    "month": part_of_date(lambda seconds: _whole(_dates(seconds, "M")) % 12 + 1),
    "year": part_of_date(lambda seconds: _whole(_dates(seconds, "Y")) + 1970),
}
