"""A small source over plain lists: for tests, for trying rules, for replaying what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import NAME, Labels, Matcher, MatchOp
from sentinel.core.sample import Health
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Windows, is_stale
from sentinel.promql.search import first_after

#: From how many series on each is searched by itself; found by measuring.
_MANY = 256


class Block:
    """Series and their samples, each in the order of time.

    Args:
        series: labels -> (time in Unix milliseconds, value) in ascending order; `STALE` ends a series.
        lookback_ms: how long a newest value counts.
        lookbacks: likewise, for single series.
    """

    def __init__(
        self,
        series: Mapping[Labels, Iterable[tuple[int, float]]],
        lookback_ms: int = DEFAULT_LOOKBACK_MS,
        lookbacks: Mapping[Labels, int] | None = None,
    ) -> None:
        self._labels = sorted(series)
        samples = [list(series[labels]) for labels in self._labels]
        self._ts = np.array([ts for row in samples for ts, _ in row], dtype=np.int64)
        self._bounds = np.cumsum([0, *map(len, samples)])
        # Series laid end to end on one line of time, so that one search finds a bound in all of them.
        self._from_ms = int(self._ts.min()) if len(self._ts) else 0
        self._span_ms = int(self._ts.max()) - self._from_ms if len(self._ts) else 0
        rows = np.repeat(np.arange(len(samples), dtype=np.int64), [len(row) for row in samples])
        self._line = self._ts - self._from_ms + rows * (self._span_ms + 2)
        self._v = np.array([value for row in samples for _, value in row], dtype=np.float64)
        self._lookback = np.array(
            [(lookbacks or {}).get(labels, lookback_ms) for labels in self._labels], dtype=np.int64
        )
        self._has_stale = bool(is_stale(self._v).any())
        self._by_name: dict[str, list[int]] = {}
        for row, labels in enumerate(self._labels):
            self._by_name.setdefault(labels.name, []).append(row)
        self._found: dict[tuple[Matcher, ...], tuple[list[Labels], NDArray[np.int64]]] = {}

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher."""
        labels, ids = self._match(tuple(matchers))
        lookback = self._lookback[ids]
        length = lookback[:, None] if range_ms is None else range_ms
        lo, hi = self._first_after(ids, ends_ms[None, :] - length), self._first_after(ids, ends_ms[None, :])
        return Windows(labels, ids, self._ts, self._v, lo, hi, lookback, has_stale=self._has_stale)

    def _first_after(self, ids: NDArray[np.int64], bounds_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return where each series is past each bound."""
        if bounds_ms.shape[1] == 1 and len(ids) > _MANY:
            # One step over thousands of series: a search over the whole line would miss the processor's cache.
            shape = (len(ids), 1)
            first, last = self._bounds[ids].reshape(shape), self._bounds[ids + 1].reshape(shape)
            return first_after(self._ts, first, last, bounds_ms)
        bounds = np.minimum(np.maximum(bounds_ms - self._from_ms, -1), self._span_ms)
        return np.searchsorted(self._line, bounds + (ids * (self._span_ms + 2))[:, None], side="right")

    def health(self, ids: NDArray[np.int64], at_ms: int) -> Health:
        """Return WELL: plain lists have no probes behind them."""
        return Health.WELL

    def _match(self, matchers: tuple[Matcher, ...]) -> tuple[list[Labels], NDArray[np.int64]]:
        if (found := self._found.get(matchers)) is None:
            rows = [
                row
                for row in self._candidates(matchers)
                if all(matcher.matches(self._labels[row].get(matcher.name)) for matcher in matchers)
            ]
            found = [self._labels[row] for row in rows], np.array(rows, dtype=np.int64)
            self._found[matchers] = found
        return found

    def _candidates(self, matchers: tuple[Matcher, ...]) -> Sequence[int]:
        """Return the rows that can match: those of the metric where it is named."""
        named = [m.value for m in matchers if m.name == NAME and m.op is MatchOp.EQUAL]
        return self._by_name.get(named[0], ()) if named else range(len(self._labels))
