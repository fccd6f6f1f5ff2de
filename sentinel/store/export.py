"""Export: history, series by series, in stretches that fit into memory whatever the history holds. Needs numpy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from sentinel.core.labels import Labels, Matcher, MatchOp
from sentinel.store.database import Database
from sentinel.store.head import SPAN, to_span_ms
from sentinel.store.history import History
from sentinel.store.stretch import IMPORTED, Stretch

#: Read at once of one series: a week.
_SPAN_MS = 7 * 86_400_000
#: The longest stretch: a line of 25 kB.
_MOST = 1000


def stretches(
    database: Database, history: History, selectors: Sequence[Sequence[Matcher]], since_ms: int, until_ms: int
) -> Iterator[Stretch]:
    """Yield the samples of all series that fulfil one of the selectors, stale markers included.

    A metric's series come one after the other, each in order of time, as OpenMetrics wants it.

    Args:
        database: says whose the series are.
        history: that is read.
        selectors: matchers; () is every series.
        since_ms: time of the first samples.
        until_ms: time of the last ones.
    """
    reader = history.reader()
    found = {labels for matchers in selectors for labels in reader.series(matchers, since_ms, until_ms)}
    names: dict[str, set[str]] = defaultdict(set)
    for labels in found:
        names[labels.name].update(labels.names())
    with database.read() as tx:
        source_of = {one.id: one.source for one in tx.samples.series()}
        oldest_ms = tx.samples.oldest_ms()
    # A look may bring samples of an hour before it, as a push does.
    since_ms = max(since_ms, until_ms if oldest_ms is None else oldest_ms - to_span_ms(SPAN))
    looks = {look.source: look for look in history.head.looks()}
    for labels in sorted(found, key=lambda one: (one.name, one)):
        matchers = _exactly(labels, names[labels.name])
        for after_ms in range(since_ms - 1, until_ms, _SPAN_MS):
            end_ms = min(after_ms + _SPAN_MS, until_ms)
            windows = reader.windows(matchers, np.array([end_ms]), end_ms - after_ms)
            for row, id_ in enumerate(windows.ids.tolist()):
                look = looks.get(source_of.get(id_, 0))
                name, interval_ms = (look.name, look.interval_ms) if look else (IMPORTED, 0)
                lo, hi = int(windows.lo[row, 0]), int(windows.hi[row, 0])
                ts = windows.ts[lo:hi].astype(np.int64) + windows.epoch_ms
                yield from Stretch(labels, ts, windows.v[lo:hi], name, interval_ms).parts(_MOST)


def _exactly(labels: Labels, names: set[str]) -> list[Matcher]:
    """Return matchers that this series alone fulfils, of a metric whose series have these label names."""
    return [Matcher(name, MatchOp.EQUAL, labels.get(name)) for name in sorted(names)]
