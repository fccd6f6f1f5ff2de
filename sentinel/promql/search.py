"""Searching many stretches of a sorted array at once."""

from __future__ import annotations

import numpy as np

from sentinel.core.windows import Instants
from sentinel.promql.values import Indices, Times


def first_after(ts: Times, lo: Indices, hi: Indices, bounds: Instants) -> Indices:
    """Return the first index of each stretch whose time is later than its bound, its end if there is none.

    Samples come at even distances mostly, so each place is guessed; only where the guess is wrong, it is searched.

    Args:
        ts: times, ascending within each stretch.
        lo: first index of each stretch.
        hi: one past its last.
        bounds: one per stretch, or anything that broadcasts to them.
    """
    if not len(ts) or not lo.size:
        return lo.copy()
    newest = len(ts) - 1
    begin, end = ts[np.minimum(lo, newest)], ts[np.maximum(hi - 1, 0)]
    even = (bounds - begin) * ((hi - lo - 1) / np.maximum(end - begin, 1))
    guess: Indices = lo + np.clip(np.floor(even).astype(np.int64) + 1, 0, hi - lo)
    right = (guess == lo) | (ts[np.maximum(guess - 1, 0)] <= bounds)
    right &= (guess == hi) | (ts[np.minimum(guess, newest)] > bounds)
    if not right.all():
        wrong = ~right
        guess[wrong] = _bisect(ts, lo[wrong], hi[wrong], np.broadcast_to(bounds, guess.shape)[wrong])
    return guess


def _bisect(ts: Times, lo: Indices, hi: Indices, bounds: Instants) -> Indices:
    low, high = lo.copy(), hi.copy()
    for _ in range(int((hi - lo).max(initial=0)).bit_length()):
        middle = (low + high) // 2
        later = ts[np.minimum(middle, len(ts) - 1)] > bounds
        low, high = np.where(later | (low >= high), low, middle + 1), np.where(later, middle, high)
    return low
