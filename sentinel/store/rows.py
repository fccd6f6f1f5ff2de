"""What the head has taken in and the journal has not: the rows of one commit. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels


@dataclass(frozen=True, slots=True)
class Series:
    """What an id stands for, and which source brought it first."""

    id: int
    labels: Labels
    source: int


@dataclass(frozen=True, slots=True)
class Look:
    """That a source looked: without it, nobody knew after a restart when it last showed all that it has."""

    source: int
    name: str
    at_ms: int
    interval_ms: int
    whole: bool


def _ints() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


def _floats() -> NDArray[np.float64]:
    return np.empty(0, np.float64)


@dataclass(frozen=True, slots=True)
class Rows:
    """Samples in the order of their arrival, and what they need to be understood.

    Args:
        series: those that are new since the last commit.
        looks: that brought the samples.
        ids: of each sample's series.
        ts: its time, in Unix milliseconds.
        v: its value, bit for bit.
    """

    series: tuple[Series, ...] = ()
    looks: tuple[Look, ...] = ()
    ids: NDArray[np.int64] = field(default_factory=_ints)
    ts: NDArray[np.int64] = field(default_factory=_ints)
    v: NDArray[np.float64] = field(default_factory=_floats)

    def __bool__(self) -> bool:
        return bool(self.series or self.looks or len(self.ids))

    def until(self, until_ms: int) -> Rows:
        """Return what does not lie beyond an instant; looks of later on count as if they had been then."""
        kept = self.ts <= until_ms
        looks = tuple(replace(look, at_ms=min(look.at_ms, until_ms)) for look in self.looks)
        return Rows(self.series, looks, self.ids[kept], self.ts[kept], self.v[kept])

    @classmethod
    def joined(cls, parts: Iterable[Rows]) -> Rows:
        """Put several together, in order."""
        parts = list(parts)
        if len(parts) == 1:
            return parts[0]
        return cls(
            series=tuple(one for part in parts for one in part.series),
            looks=tuple(one for part in parts for one in part.looks),
            ids=np.concatenate([_ints(), *(part.ids for part in parts)]),
            ts=np.concatenate([_ints(), *(part.ts for part in parts)]),
            v=np.concatenate([_floats(), *(part.v for part in parts)]),
        )
