"""What evaluating a node gives: always all steps at once.

T is the number of steps, S that of series. A NaN is a value; absence is a mask beside the values. A scalar is a float64
array of shape (T,), a string a `str`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels
from sentinel.core.windows import Instants, Values

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]
Times = NDArray[np.int64] | NDArray[np.int32]
LabelList = Sequence[Labels]


@dataclass(frozen=True, slots=True)
class Vector:
    """An instant vector.

    Args:
        labels: S label sets; their names are still in them where `drop` says that they go in the end.
        values: of shape (S, T).
        present: of shape (S, T); where it is False, the value means nothing.
        drop: of shape (S,): whether the metric's name is to be removed from the result.
        times_ms: when each sample was taken, of shape (S, T), for a bare selector; else None.
    """

    labels: LabelList
    values: Values
    present: Mask
    drop: Mask
    times_ms: Instants | None = None

    def nameless(self, values: Values, present: Mask | None = None) -> Vector:
        """Return other values of the same series, which lose their names in the end."""
        return Vector(self.labels, values, self.present if present is None else present, dropping(len(self.labels)))


@dataclass(frozen=True, slots=True)
class Ranges:
    """A range vector: for each series and step a window into a flat block.

    Args:
        labels: S label sets.
        drop: of shape (S,), as in `Vector`.
        ts: times in the flat block, in milliseconds once `epoch_ms` is added.
        v: values in the flat block, without stale markers.
        lo: of shape (S, T), first index of each window.
        hi: of shape (S, T), one past its last.
        starts_ms: of shape (T,), where each window begins (it is not part of it).
        ends_ms: of shape (T,), where it ends.
        epoch_ms: what to add to `ts`.
    """

    labels: LabelList
    drop: Mask
    ts: Times
    v: Values
    lo: Indices
    hi: Indices
    starts_ms: Instants
    ends_ms: Instants
    epoch_ms: int = 0


Value = Vector | Ranges | Values | str
#: A kernel of `functions/`: the frame, the node that calls it, then its evaluated arguments.
Function = Callable[..., Value]


def some(mask: Mask | np.bool_) -> bool:
    """Say whether any of it is true: `mask.any()` in a fifth of its time, which small rules feel."""
    return bool(np.count_nonzero(mask))


def every(mask: Mask | np.bool_) -> bool:
    """Say whether all of it is true."""
    return bool(np.count_nonzero(mask) == mask.size)


def dropping(count: int) -> Mask:
    """Return the flags of series whose names all go."""
    return np.ones(count, dtype=np.bool_)


def keeping(count: int) -> Mask:
    """Return the flags of series whose names all stay."""
    return np.zeros(count, dtype=np.bool_)


def single(labels: Labels, values: Values, present: Mask | None = None) -> Vector:
    """Return a vector of one series from values of shape (T,)."""
    shown = np.ones(values.shape, dtype=np.bool_) if present is None else present
    return Vector([labels], values[None, :], shown[None, :], keeping(1))


def nothing(steps: int) -> Vector:
    """Return the empty vector."""
    return Vector([], np.empty((0, steps)), np.empty((0, steps), dtype=np.bool_), keeping(0))
