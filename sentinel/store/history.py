"""History: chunks on disk and the head in memory as one `Source`. Needs numpy."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sentinel.core.labels import Labels, Matcher
from sentinel.core.sample import Health
from sentinel.core.search import first_after
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Windows, is_stale
from sentinel.store import chunk
from sentinel.store.arena import Ints
from sentinel.store.blob import Damaged
from sentinel.store.catalogue import Catalogue
from sentinel.store.database import Database
from sentinel.store.flat import Flat
from sentinel.store.head import Head, HeadReader
from sentinel.store.samples import Damage


class History:
    """Everything that was ever stored and not yet deleted.

    What lies within the head is answered by the head; for the rest chunks are read, through a connection of the
    reader's own. Used as it is it belongs to the desk's thread, as the head does; others ask `reader()`.
    """

    def __init__(self, database: Database, head: Head) -> None:
        self.head = head
        self._database = database
        self._catalogue = Catalogue(database, head.roster)
        self._lock = threading.Lock()
        self._damages: dict[int, Damage] = {}

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher."""
        return self._windows(self.head, matchers, ends_ms, range_ms)

    def health(self, ids: Ints, at_ms: int) -> Health:
        """Return how the probes behind these series are, at worst."""
        return self.head.health(ids, at_ms)

    def reader(self) -> HistoryReader:
        """Return a source for other threads."""
        return HistoryReader(self)

    def forget(self, ids: Iterable[int]) -> None:
        """Know that these series are deleted."""
        self._catalogue.forget(ids)

    def rename(self, sources: Mapping[str, str], labels: Mapping[int, Labels]) -> None:
        """Know, after that was committed, that sources have other names, and series, by id, other labels."""
        self.head.rename(sources, labels)
        self._catalogue.clear()

    def take_damages(self) -> list[Damage]:
        """Return the chunks that readers could not read since the last call, to be set aside."""
        with self._lock:
            damages, self._damages = list(self._damages.values()), {}
            return damages

    def _windows(
        self, head: Head | HeadReader, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None
    ) -> Windows:
        """Ask the head if it holds all of it; else read."""
        reach = range_ms if range_ms is not None else DEFAULT_LOOKBACK_MS
        if int(ends_ms.min(initial=np.iinfo(np.int64).max)) - reach >= self.head.since_ms:
            return head.windows(matchers, ends_ms, range_ms)
        intervals = {look.source: look.interval_ms for look in self.head.looks()}
        if range_ms is None:
            reach = max(reach, max(intervals.values(), default=0) * 5 // 2)
        found = self._catalogue.select(matchers, int(ends_ms.min()) - reach)
        intervals_ms = np.array([intervals.get(source, 0) for source in found.sources.tolist()], np.int64)
        lookback = np.maximum(intervals_ms * 5 // 2, DEFAULT_LOOKBACK_MS)
        length = lookback if range_ms is None else np.full(len(lookback), range_ms)
        after_ms = int(ends_ms.min()) - int(length.max(initial=0))
        flat = self._read(found.ids, after_ms, int(ends_ms.max()))
        first, last = (bound[:, None] for bound in flat.bounds(np.arange(len(length))))
        lo = first_after(flat.ts, first, last, ends_ms - length[:, None])
        hi = first_after(flat.ts, first, last, ends_ms[None, :])
        stale = bool(is_stale(flat.v).any())
        return Windows(found.labels, found.ids, flat.ts, flat.v, lo, hi, lookback, has_stale=stale)

    def _series(self, matchers: Sequence[Matcher], since_ms: int, until_ms: int) -> list[Labels]:
        if since_ms > until_ms:
            return []
        found = self._catalogue.select(matchers, since_ms)
        ids = found.ids.tolist()
        with self._database.read() as tx:
            held = tx.samples.reaching(ids, since_ms, until_ms)
        held |= self.head.roster.held_between(matchers, since_ms, until_ms)
        return sorted(labels for id_, labels in zip(ids, found.labels, strict=True) if id_ in held)

    def _read(self, ids: Ints, after_ms: int, until_ms: int) -> Flat:
        """Return the samples of these series in (after, until], with each series' place among them.

        The head is asked first: what becomes a chunk, and is let go of, in between is then in both, and counts once.
        """
        places = {id_: place for place, id_ in enumerate(ids.tolist())}
        parts = [self.head.roster.flat(ids, after_ms, until_ms)]
        with self._database.read() as tx:
            chunks = tx.samples.chunks(places, after_ms, until_ms)
        for row, one in chunks:
            try:
                found = chunk.decode(one, places)
            except Damaged as exc:
                with self._lock:
                    self._damages[row] = Damage("chunk", row, str(exc))
                continue
            part = Flat.unpacked(found, np.array([places[id_] for id_ in found.ids], np.int64))
            if one.start_ms <= after_ms or one.end_ms > until_ms:
                part = part.only((part.ts > after_ms) & (part.ts <= until_ms))
            parts.append(part)
        return Flat.ordered(parts)


class HistoryReader:
    """History for threads other than the desk's: a `Source` whose windows are copies."""

    def __init__(self, history: History) -> None:
        self._history, self._head = history, history.head.reader()

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher, over arrays of their own."""
        return self._history._windows(self._head, matchers, ends_ms, range_ms)

    def health(self, ids: Ints, at_ms: int) -> Health:
        """Return how the probes behind these series are, at worst."""
        return self._head.health(ids, at_ms)

    def series(self, matchers: Sequence[Matcher], since_ms: int, until_ms: int) -> list[Labels]:
        """Return the series that fulfil every matcher and have samples within these bounds, by their labels.

        Of what is on disk, a chunk that reaches into the bounds is enough, as a block is in Prometheus.
        """
        return self._history._series(matchers, since_ms, until_ms)
