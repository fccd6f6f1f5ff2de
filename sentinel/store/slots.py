"""What is known of each series in memory beside its samples: arrays by slot, grown together. Needs numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sentinel.store.arena import Ints, longer

Flags = NDArray[np.bool_]

#: Earlier than any sample.
NEVER = -(2**62)


class Slots:
    """Facts by slot.

    Attributes:
        id: of the series, the same on disk.
        source: who brought it last.
        interval_ms: how often that source looks.
        probe: the probe behind it, as kept by `health.py`.
        flushed_ms: up to when chunks hold its samples.
        live: whether its newest sample is not a stale marker.
        stale: whether its row may hold a stale marker.
    """

    def __init__(self) -> None:
        self.used = 0
        self._free: list[int] = []
        self.id = np.zeros(64, np.int64)
        self.source = np.full(64, -1, np.int64)
        self.interval_ms = np.zeros(64, np.int64)
        self.probe = np.full(64, -1, np.int64)
        self.flushed_ms = np.zeros(64, np.int64)
        self.live = np.zeros(64, np.bool_)
        self.stale = np.zeros(64, np.bool_)

    def open(self, id_: int, source: int, interval_ms: int, probe: int, flushed_ms: int) -> int:
        """Return a slot for a series."""
        slot = self._free.pop() if self._free else self.used
        self.used = max(self.used, slot + 1)
        if slot >= len(self.id):
            self._grow(2 * slot)
        self.id[slot], self.source[slot], self.interval_ms[slot] = id_, source, interval_ms
        self.probe[slot], self.flushed_ms[slot] = probe, flushed_ms
        self.live[slot] = self.stale[slot] = False
        return slot

    def close(self, slot: int) -> None:
        """Give a slot back."""
        self.id[slot], self.source[slot], self.probe[slot], self.live[slot] = 0, -1, -1, False
        self._free.append(slot)

    def taken(self) -> Ints:
        """Return every slot in use."""
        return np.flatnonzero(self.id[: self.used])

    def live_of(self, source: int) -> Ints:
        """Return the slots whose series this source still showed."""
        return np.flatnonzero(self.live[: self.used] & (self.source[: self.used] == source))

    def lookback_ms(self, slots: Ints, least: int) -> Ints:
        """Return how long a newest value of each counts: two and a half of its intervals, at least `least`."""
        return np.maximum(self.interval_ms[slots] * 5 // 2, least)

    def _grow(self, length: int) -> None:
        self.id, self.source = longer(self.id, length), longer(self.source, length)
        self.interval_ms, self.probe = longer(self.interval_ms, length), longer(self.probe, length)
        self.flushed_ms = longer(self.flushed_ms, length)
        self.live, self.stale = longer(self.live, length), longer(self.stale, length)
