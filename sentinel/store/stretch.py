"""A stretch: samples of one series on their way out of a history, or into one. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels
from sentinel.core.windows import Values

#: Whose series are that nobody says a source of.
IMPORTED = "import"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Samples of one series.

    Args:
        labels: of the series, its name among them.
        ts: their times, ascending, in Unix milliseconds.
        v: their values; stale markers are among them, bit for bit.
        source: who brought the series.
        interval_ms: how often that one looks; a newest value counts for two and a half of it, or 5 minutes.
    """

    labels: Labels
    ts: NDArray[np.int64]
    v: Values
    source: str = IMPORTED
    interval_ms: int = 0

    def parts(self, most: int) -> Iterator[Stretch]:
        """Yield it in parts of so many samples at most."""
        for at in range(0, len(self.ts), most):
            yield replace(self, ts=self.ts[at : at + most], v=self.v[at : at + most])


#: One sample as a line holds it: series, Unix milliseconds, value.
Point = tuple[Labels, int, float]


def gathered(points: Iterable[Point], most: int) -> Iterator[list[Stretch]]:
    """Put points together to stretches, so many points at a time; of two with one time the first counts."""
    found: dict[Labels, dict[int, float]] = {}
    count = 0
    for labels, ts_ms, value in points:
        found.setdefault(labels, {}).setdefault(ts_ms, value)
        count += 1
        if count == most:
            yield [_stretch(*one) for one in found.items()]
            found, count = {}, 0
    if found:
        yield [_stretch(*one) for one in found.items()]


def _stretch(labels: Labels, points: dict[int, float]) -> Stretch:
    ts = np.fromiter(points, np.int64, len(points))
    v = np.fromiter(points.values(), np.float64, len(points))
    order = np.argsort(ts)
    return Stretch(labels, ts[order], v[order])
