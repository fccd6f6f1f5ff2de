"""A small source over plain lists: for tests, for trying rules, for replaying what was recorded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sentinel.core.labels import NAME, Labels, Matcher, MatchOp
from sentinel.core.sample import Health
from sentinel.core.search import first_after
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Windows, is_stale
from sentinel.promql.values import Indices

#: Times the length of a window, how far its two bounds lie before its end.
_START_AND_END = np.array([1, 0])


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
        bounds = np.cumsum([0, *map(len, samples)])
        self._first, self._past = bounds[:-1, None], bounds[1:, None]
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
        self._found: dict[tuple[Matcher, ...], tuple[list[Labels], Indices]] = {}

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher."""
        labels, ids = self._match(tuple(matchers))
        lookback = self._lookback[ids]
        ends, length = ends_ms[None, :], lookback[:, None] if range_ms is None else range_ms
        if len(ends_ms) == 1:
            found = first_after(self._ts, self._first[ids], self._past[ids], ends - length * _START_AND_END)
            lo, hi = found[:, :1], found[:, 1:]
        else:
            lo, hi = self._past_each(ids, ends - length), self._past_each(ids, ends)
        return Windows(labels, ids, self._ts, self._v, lo, hi, lookback, has_stale=self._has_stale)

    def _past_each(self, ids: Indices, bounds_ms: Instants) -> Indices:
        """Return where each series is past each of many bounds."""
        bounds = np.minimum(np.maximum(bounds_ms - self._from_ms, -1), self._span_ms)
        return np.searchsorted(self._line, bounds + (ids * (self._span_ms + 2))[:, None], side="right")

    def health(self, ids: Indices, at_ms: int) -> Health:
        """Return WELL: plain lists have no probes behind them."""
        return Health.WELL

    def _match(self, matchers: tuple[Matcher, ...]) -> tuple[list[Labels], Indices]:
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
