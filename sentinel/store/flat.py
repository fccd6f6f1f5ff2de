"""Samples of many series in flat arrays, collected from chunks, the journal and the head. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable
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

    def only(self, which: Ints | NDArray[np.bool_]) -> Flat:
        """Return some of them."""
        return Flat(self.place[which], self.ts[which], self.v[which])

    def starts(self, places: int) -> Ints:
        """Return where the samples of each place begin, and where the last ones end; they must be in order."""
        return np.searchsorted(self.place, np.arange(places + 1)).astype(np.int64)

    @classmethod
    def unpacked(cls, found: Unpacked, places: Ints) -> Flat:
        """Return the samples of a chunk, whose series have these places."""
        return cls(np.repeat(places, len(found.ts)), np.tile(found.ts, len(places)), found.v.ravel())

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
