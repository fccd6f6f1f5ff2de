"""Searching many stretches of a sorted array at once. Needs numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

#: A little more, so that a bound at which a sample was taken is not missed by the rounding of a quotient.
_ONE = 1 + 1e-9


def first_after(ts: Ints | NDArray[np.int32], lo: Ints, hi: Ints, bounds: Ints) -> Ints:
    """Return the first index of each stretch whose time is later than its bound, its end if there is none.

    Samples come at even distances mostly, so each place is guessed; only where the guess is wrong, it is searched.

    Args:
        ts: times, ascending within each stretch.
        lo: first index of each stretch.
        hi: one past its last, of the same shape.
        bounds: one per stretch, or anything that broadcasts with them.
    """
    if not len(ts) or not lo.size:
        return np.zeros(np.broadcast_shapes(lo.shape, bounds.shape), np.int64)
    count = hi - lo
    # Clipped, since an empty stretch may lie at the very end.
    begin, end = ts.take(lo, mode="clip"), ts.take(hi - 1, mode="clip")
    even = (bounds - begin) * ((count - 1) / np.maximum(end - begin, 1)) + _ONE
    guess: Ints = lo + np.minimum(np.maximum(even, 0), count).astype(np.int64)
    wrong = (guess > lo) & (ts.take(guess - 1, mode="clip") > bounds)
    wrong |= (guess < hi) & (ts.take(guess, mode="clip") <= bounds)
    if np.count_nonzero(wrong):
        low, high, sought = (np.broadcast_to(part, guess.shape)[wrong] for part in (lo, hi, bounds))
        guess[wrong] = _bisect(ts, low, high, sought)
    return guess


def _bisect(ts: Ints | NDArray[np.int32], low: Ints, high: Ints, bounds: Ints) -> Ints:
    for _ in range(int((high - low).max(initial=0)).bit_length()):
        middle = (low + high) // 2
        later = ts[np.minimum(middle, len(ts) - 1)] > bounds
        low, high = np.where(later | (low >= high), low, middle + 1), np.where(later, middle, high)
    return low
