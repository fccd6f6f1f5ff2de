"""Overlay: samples laid over a source, so that a rule sees what those before it wrote just now. Needs numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels, Matcher
from sentinel.core.sample import Health
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, STALE, Instants, Source, Windows

#: The id of a series that the store does not have yet.
_NEW = -1


class Overlay:
    """A `Source`: another one, and samples of one instant that nothing in it is newer than.

    Args:
        source: what lies below.
        at_ms: time of the samples.
    """

    def __init__(self, source: Source, at_ms: int) -> None:
        self._source, self._at_ms = source, at_ms
        self._laid: dict[Labels, float] = {}

    def lay(self, values: Mapping[Labels, float], gone: Sequence[Labels] = ()) -> None:
        """Lay samples over, and ends of series."""
        self._laid |= {**dict.fromkeys(gone, STALE), **values}

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher."""
        below = self._source.windows(matchers, ends_ms, range_ms)
        laid = [one for one in self._laid if all(matcher.matches(one.get(matcher.name)) for matcher in matchers)]
        return self._joined(below, laid, ends_ms, range_ms) if laid else below

    def health(self, ids: NDArray[np.int64], at_ms: int) -> Health:
        """Return how the probes behind these series are, as far as the source below knows them."""
        return self._source.health(ids[ids != _NEW], at_ms)

    def _joined(self, below: Windows, laid: Sequence[Labels], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Write each series that has something laid over it anew behind the block, with that at its end."""
        places = {labels: place for place, labels in enumerate(below.labels)}
        new = [labels for labels in laid if labels not in places]
        places |= {labels: len(below.labels) + place for place, labels in enumerate(new)}
        empty = np.zeros((len(new), len(ends_ms)), np.int64)
        lo, hi = np.concatenate([below.lo, empty]), np.concatenate([below.hi, empty])
        lookback = np.concatenate([below.lookback_ms, np.full(len(new), DEFAULT_LOOKBACK_MS, np.int64)])
        at, parts = self._at_ms - below.epoch_ms, [(below.ts, below.v)]
        length = len(below.ts)
        for labels in laid:
            place = places[labels]
            filled = hi[place] > lo[place]
            first = int(lo[place][filled].min()) if filled.any() else 0
            past = int(hi[place][filled].max()) if filled.any() else 0
            kept = first + int(np.searchsorted(below.ts[first:past], at))
            parts.append((np.append(below.ts[first:kept], at), np.append(below.v[first:kept], self._laid[labels])))
            reach = lookback[place] if range_ms is None else range_ms
            later = ends_ms >= self._at_ms
            end = np.where(later, kept, np.clip(hi[place], first, kept))
            start = np.where(filled, np.clip(lo[place], first, kept), end)
            lo[place] = start - first + length + (ends_ms - reach >= self._at_ms)
            hi[place] = end - first + length + later
            length += kept - first + 1
        return replace(
            below,
            labels=[*below.labels, *new],
            ids=np.concatenate([below.ids, np.full(len(new), _NEW, np.int64)]),
            ts=np.concatenate([ts.astype(np.int64) for ts, _ in parts]),
            v=np.concatenate([v for _, v in parts]),
            lo=lo,
            hi=hi,
            lookback_ms=lookback,
            has_stale=True,
        )
