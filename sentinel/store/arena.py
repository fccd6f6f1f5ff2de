"""The head's memory: a row of samples for each series, all rows in two flat arrays. Needs numpy.

    ts  |s0 s0 s0 .. ..|s1 s1 s1 s1|s2 .. .. ..|      int32 milliseconds from an epoch that moves along
    v   |s0 s0 s0 .. ..|s1 s1 s1 s1|s2 .. .. ..|      float64

Rows differ in length, since probes differ in pace. A full row first lets go of what it need not keep (its samples slide
to the front); only if that frees too little does it move to a longer place. Rows of one length fill up at different
times on purpose, so that no single append has to slide all of them. When a quarter is places that rows left on their
way, or the arrays are full, the rows are laid side by side in new ones. Those are twice as long as need be: what nobody
has written to yet takes no memory.
"""

from __future__ import annotations

import mmap
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sentinel.core.search import first_after

Ints = NDArray[np.int64]
Number = TypeVar("Number", bound=np.generic)

#: Offsets beyond this move the epoch on; 2^31 ms are 24.8 days.
_FAR = 2**31 - 2**20
_LEAST = -(2**31)

#: No sample may be older than this, counted from the newest of all.
REACH_MS = 20 * 86_400_000

_NEVER = np.iinfo(np.int64).min

_SHORTEST = 25
_SMALLEST = 4097


def _length(samples: int) -> int:
    """Return the length of a row for so many samples: one of few, so that places can be used again.

    Odd, because rows of 2^k × 8 bytes would share the same lines of the processor's cache.
    """
    length = _SHORTEST
    while length < samples:
        length = length * 3 // 2 | 1
    return length


def _grown(length: int, wanted: int) -> int:
    """Return the length after this one: half as much again, or what is enough in the long run.

    Enough is an eighth more than wanted: a row that slid has then room until it is worth while to slide it again.
    """
    enough = wanted * 9 // 8 | 1
    longer = _length(length + 1)
    return enough if length < enough < longer else longer


class Arena:
    """Rows of samples, by slot. A slot is a small number that stands for a series while it is in memory."""

    def __init__(self) -> None:
        self.ts, self.v = _flat(_SMALLEST, np.int32), _flat(_SMALLEST, np.float64)
        self.epoch_ms = 0
        self.start = np.zeros(64, np.int64)
        self.count = np.zeros(64, np.int64)
        self._length = np.zeros(64, np.int64)
        self._end = 0
        self._free: dict[int, list[int]] = {}

    def reserve(self, rows: int) -> None:
        """Make room for so many new rows at once."""
        if self._end + rows * _SHORTEST >= len(self.ts):
            self._lay_out(rows * _SHORTEST)

    def open(self, slot: int, samples: int) -> None:
        """Give a slot an empty row.

        Args:
            slot: at most one more than any slot before.
            samples: how many it will have to hold at least.
        """
        if slot >= len(self.start):
            self.start, self.count = longer(self.start, 2 * slot), longer(self.count, 2 * slot)
            self._length = longer(self._length, 2 * slot)
        self.count[slot] = 0
        length = _length(samples)
        self.start[slot] = self._place(length)
        self._length[slot] = length

    def close(self, slot: int) -> None:
        """Take a slot's row away."""
        self._free.setdefault(int(self._length[slot]), []).append(int(self.start[slot]))
        self.count[slot] = self._length[slot] = 0

    def last_ms(self, slots: Ints) -> Ints:
        """Return the time of each slot's newest sample; a very early one where there is none."""
        count = self.count[slots]
        newest: Ints = self.ts[self.start[slots] + np.maximum(count - 1, 0)] + np.int64(self.epoch_ms)
        return np.where(count > 0, newest, _NEVER)

    def last(self, slots: Ints) -> NDArray[np.float64]:
        """Return the value of each slot's newest sample; each must have one."""
        newest: NDArray[np.float64] = self.v[self.start[slots] + self.count[slots] - 1]
        return newest

    def append(
        self, slots: Ints, ts_ms: Ints, v: NDArray[np.float64], needless_ms: Callable[[Ints], Ints], wanted: int
    ) -> None:
        """Add one sample to each of these rows, newer than those it has.

        Args:
            slots: each at most once.
            ts_ms: times of the samples.
            v: their values.
            needless_ms: returns up to when the rows of some slots, those that are full, need not keep their samples.
            wanted: how many samples a row may have to hold in the long run.
        """
        if not len(slots):
            return
        self._reach(int(ts_ms.max()))
        count, length = self.count[slots], self._length[slots]
        full = count >= length - slots % (length // 16 + 1)
        if full.any():
            self._make_room(slots[full], needless_ms(slots[full]), wanted)
        at = self.start[slots] + self.count[slots]
        self.ts[at] = ts_ms - self.epoch_ms
        self.v[at] = v
        self.count[slots] += 1

    def fill(self, slot: int, ts_ms: Ints, v: NDArray[np.float64]) -> None:
        """Put many samples into an empty row that is long enough for them."""
        if not len(ts_ms):
            return
        self._reach(int(ts_ms[-1]))
        start, count = int(self.start[slot]), len(ts_ms)
        assert self.count[slot] == 0
        assert count <= self._length[slot]
        self.ts[start : start + count] = ts_ms - self.epoch_ms
        self.v[start : start + count] = v
        self.count[slot] = count

    def insert(self, slot: int, ts_ms: int, v: float, needless_ms: int, wanted: int) -> bool:
        """Put one sample among those of a row, in its place in time; False if the row has one of that time."""
        if self.count[slot] >= self._length[slot]:
            self._make_room(np.array([slot]), np.array([needless_ms]), wanted)
        start, end = int(self.start[slot]), int(self.start[slot] + self.count[slot])
        at = start + int(np.searchsorted(self.ts[start:end], ts_ms - self.epoch_ms))
        if at < end and self.ts[at] == ts_ms - self.epoch_ms:
            return False
        self.ts[at + 1 : end + 1] = self.ts[at:end]
        self.v[at + 1 : end + 1] = self.v[at:end]
        self.ts[at], self.v[at] = ts_ms - self.epoch_ms, v
        self.count[slot] += 1
        return True

    def row(self, slot: int) -> tuple[Ints, NDArray[np.float64]]:
        """Return a row's times and values, copied."""
        start, end = int(self.start[slot]), int(self.start[slot] + self.count[slot])
        return self.ts[start:end].astype(np.int64) + self.epoch_ms, self.v[start:end].copy()

    def rewind(self, slots: Ints, until_ms: int) -> None:
        """Let go of what these rows hold beyond an instant, and count times from there if the epoch lies beyond it."""
        ends = self.first_after(slots, np.array([[until_ms]]))[:, 0]
        self.count[slots] = ends - self.start[slots]
        if self.epoch_ms > until_ms:
            ts = self.ts[: self._end]
            ts[:] = np.clip(ts + np.int64(self.epoch_ms - until_ms), _LEAST, 0)
            self.epoch_ms = until_ms

    def first_after(self, slots: Ints, ts_ms: Ints) -> Ints:
        """Return, for each slot and instant, the flat index of the first sample later than it, or of the row's end.

        Args:
            slots: S of them.
            ts_ms: instants, of shape (S, T) or (1, T).
        """
        low = self.start[slots][:, None]
        high = low + self.count[slots][:, None]
        bounds = ts_ms - self.epoch_ms
        if bounds.shape[1] > max(8, len(slots)):
            found = np.empty((len(slots), bounds.shape[1]), np.int64)
            for at, (first, last) in enumerate(zip(low[:, 0].tolist(), high[:, 0].tolist(), strict=True)):
                found[at] = first + np.searchsorted(self.ts[first:last], bounds[min(at, len(bounds) - 1)], "right")
            return found
        return first_after(self.ts, low, high, bounds)

    def _make_room(self, slots: Ints, needless_ms: Ints, wanted: int) -> None:
        """Free at least one place at the end of each of these rows: they slide, or move where that frees too little."""
        count, length = self.count[slots], self._length[slots]
        drop = np.minimum(self.first_after(slots, needless_ms[:, None])[:, 0] - self.start[slots], count - 1)
        moving = drop <= length // 32
        drop[moving] = 0
        grown = [_grown(was, wanted) for was in length[moving].tolist()]
        more = sum(new * max(rows - len(self._free.get(new, ())), 0) for new, rows in Counter(grown).items())
        self._length[slots[moving]] = grown
        end = self._end + more
        if end < len(self.ts) and end - int(self._length.sum()) <= end // 4:
            start = self.start[slots]
            place = start.copy()
            place[moving] = [self._place(new) for new in grown]
            for was, left in zip(length[moving].tolist(), start[moving].tolist(), strict=True):
                self._free.setdefault(was, []).append(left)
        else:
            self._lay_out(0)
            start = place = self.start[slots]
        source, _ = spread(start + drop, start + count)
        target, _ = spread(place, place + count - drop)
        self.ts[target], self.v[target] = self.ts[source], self.v[source]
        self.start[slots], self.count[slots] = place, count - drop

    def _place(self, length: int) -> int:
        """Find a place for a row: one that was given back, else at the end."""
        if free := self._free.get(length):
            return free.pop()
        if self._end + length >= len(self.ts):  # one spare element at the very end: bisection may look at it
            self._lay_out(length)
        place, self._end = self._end, self._end + length
        return place

    def _lay_out(self, more: int) -> None:
        """Lay the rows side by side in new arrays, with room for more, and as much again to spare."""
        slots = np.flatnonzero(self._length)
        lengths = self._length[slots]
        places = np.cumsum(lengths) - lengths
        self._end = int(lengths.sum())
        size = max(_SMALLEST, (self._end + more) * 2 + 1)
        ts, v = _flat(size, np.int32), _flat(size, np.float64)
        for place, start, count in zip(
            places.tolist(), self.start[slots].tolist(), self.count[slots].tolist(), strict=True
        ):
            ts[place : place + count] = self.ts[start : start + count]
            v[place : place + count] = self.v[start : start + count]
        self.ts, self.v, self.start[slots] = ts, v, places
        self._free.clear()

    def _reach(self, newest_ms: int) -> None:
        """Move the epoch on where a time would not fit into 32 bits; what is then too long ago is dropped."""
        if not self._end or not self.count.any():
            self.epoch_ms = newest_ms
        move = newest_ms - self.epoch_ms
        if move <= _FAR:
            return
        moved = self.ts[: self._end]
        moved[:] = np.maximum(moved - np.int64(move), _LEAST)
        for slot in np.flatnonzero(self.count).tolist():
            start, count = int(self.start[slot]), int(self.count[slot])
            drop = int(np.searchsorted(moved[start : start + count], _LEAST, "right"))
            moved[start : start + count - drop] = moved[start + drop : start + count]
            self.v[start : start + count - drop] = self.v[start + drop : start + count]
            self.count[slot] = count - drop
        self.epoch_ms = newest_ms


def _flat(length: int, kind: type[Number]) -> NDArray[Number]:
    """Return zeros in memory of their own, which the system gets back when they are gone.

    What malloc was given back once it keeps for the next time, up to 32 MB (mallopt(3), M_MMAP_THRESHOLD).
    """
    private = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    return np.frombuffer(mmap.mmap(-1, length * np.dtype(kind).itemsize, private), kind)


def spread(lo: Ints, hi: Ints) -> tuple[Ints, Ints]:
    """Return every flat index in these stretches, one stretch after another, and how long each is."""
    length = np.maximum(hi - lo, 0)
    moved = np.cumsum(length) - length
    return np.arange(int(length.sum())) + np.repeat(lo - moved, length), length


def longer(array: NDArray[Number], length: int) -> NDArray[Number]:
    """Return an array of at least this length that begins with the given one."""
    grown = np.zeros(max(length, len(array)), array.dtype)
    grown[: len(array)] = array
    return grown
