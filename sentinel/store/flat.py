"""Samples of many series in flat arrays, collected from chunks, the journal and the head. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentinel.core.windows import Values
from sentinel.store.arena import Ints
from sentinel.store.chunk import Unpacked


@dataclass(frozen=True, slots=True)
class Flat:
    """Samples, each with the place of its series among those that were asked for."""

    place: Ints
    ts: Ints
    v: Values

    def only(self, which: NDArray[np.bool_] | slice) -> Flat:
        """Return some of them."""
        return Flat(self.place[which], self.ts[which], self.v[which])

    def since(self, after_ms: int) -> Flat:
        """Return those later than an instant."""
        return self.only(self.ts > after_ms)

    def bounds(self, places: Ints) -> tuple[Ints, Ints]:
        """Return where the samples of each of these places begin and end; they must be in order."""
        first, last = (np.searchsorted(self.place, places, side) for side in ("left", "right"))
        return first, last

    def rows(self, places: Ints) -> Iterator[Flat]:
        """Yield the samples of each of these places; they must be in order."""
        for first, last in zip(*(bound.tolist() for bound in self.bounds(places)), strict=True):
            yield self.only(slice(first, last))

    @property
    def places(self) -> Ints:
        """Each place that has samples, once; they must be in order."""
        return self.place[np.flatnonzero(np.diff(self.place, prepend=-1))]

    @classmethod
    def unpacked(cls, found: Unpacked, places: Ints) -> Flat:
        """Return the samples of a chunk, whose series have these places."""
        ts = np.broadcast_to(found.ts, found.v.shape).ravel()
        return cls(places.repeat(len(found.ts)), ts, found.v.ravel())

    @classmethod
    def ordered(cls, parts: Iterable[Flat]) -> Flat:
        """Put parts together by place and time; of two samples with one place and time the first one counts."""
        empty = cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
        parts = [empty, *parts]
        place, ts, v = (np.concatenate([getattr(part, name) for part in parts]) for name in ("place", "ts", "v"))
        order = np.lexsort((ts, place))
        whole = cls(place[order], ts[order], v[order])
        again = (np.diff(whole.place, prepend=-1) == 0) & (np.diff(whole.ts, prepend=-1) == 0)
        return whole.only(~again) if again.any() else whole
