"""Catalogue: which of all series, on disk or in memory, fulfil which matchers. Answers are kept, series are not.

There may be many more series on disk than fit into memory: those that came and went. An answer with too many to be
kept holds only those that have samples where they are asked for, and is made anew each time. Needs numpy.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from sentinel.core.labels import Labels, Matcher
from sentinel.store.arena import Ints
from sentinel.store.database import Database
from sentinel.store.index import fulfils
from sentinel.store.roster import Roster
from sentinel.store.rows import Series

#: Series in all answers that are kept; each takes 300 bytes.
_KEPT = 25_000
#: Series that are read at a time.
_SLICE = 5_000


@dataclass(slots=True)
class Known:
    """The series that fulfil some matchers.

    Args:
        labels: of each; the same list as long as the same series match, since the evaluator's caches go by it.
        ids: of each.
        sources: of each, who brought it first.
        seen: the greatest id that was looked at.
    """

    labels: list[Labels]
    ids: Ints
    sources: Ints
    seen: int


class Catalogue:
    """Looks series up; any thread may ask.

    Args:
        database: where all committed series are.
        roster: knows those that are not yet committed.
    """

    def __init__(self, database: Database, roster: Roster) -> None:
        self._database, self._roster = database, roster
        self._lock = threading.Lock()
        self._answers: dict[tuple[Matcher, ...], Known] = {}  # the one used last comes last
        self._kept = 0

    def select(self, matchers: Sequence[Matcher], since_ms: int) -> Known:
        """Return the series that fulfil every matcher, in the order in which they came.

        Those that have no sample since an instant may be left out.
        """
        key = tuple(matchers)
        with self._lock:
            known = self._drop(key) or Known([], np.empty(0, np.int64), np.empty(0, np.int64), 0)
            if known.seen < self._roster.last_id:
                more = self._more(key, known)
                if more is None:
                    return self._some(key, since_ms)
                known = more
            self._answers[key] = known
            self._kept += len(known.labels)
            while self._kept > _KEPT:
                self._drop(next(iter(self._answers)))
            return known

    def forget(self, ids: Iterable[int]) -> None:
        """Know that these series are deleted."""
        gone = np.fromiter(ids, np.int64)
        with self._lock:
            for key in [key for key, known in self._answers.items() if np.isin(known.ids, gone).any()]:
                self._drop(key)

    def clear(self) -> None:
        """Know that series have other labels."""
        with self._lock:
            self._answers.clear()
            self._kept = 0

    def _drop(self, key: tuple[Matcher, ...]) -> Known | None:
        known = self._answers.pop(key, None)
        self._kept -= len(known.labels) if known else 0
        return known

    def _more(self, key: tuple[Matcher, ...], known: Known) -> Known | None:
        """Look at the series that came since; return None where those would be too many to be kept.

        Those of the disk come first, since what is committed meanwhile is in both.
        """
        fresh: list[Series] = []
        with self._database.read() as tx:
            on_disk = tx.samples.last_id()
            for found in _sliced(tx.samples.series(known.seen, key), key):
                fresh += found
                if len(known.labels) + len(fresh) > _KEPT:
                    return None
        waiting = self._roster.series_after(max(on_disk, known.seen))
        seen = max([on_disk, known.seen, *(one.id for one in waiting)])
        fresh += [one for one in waiting if fulfils(one.labels, key)]
        if not fresh:
            known.seen = seen
            return known
        return self._joined(known, fresh, seen)

    def _some(self, key: tuple[Matcher, ...], since_ms: int) -> Known:
        """Return those of many that are in memory, or have chunks since an instant."""
        here = self._roster.ids()  # first: what is let go of meanwhile is in chunks
        some: list[Series] = []
        with self._database.read() as tx:
            on_disk = tx.samples.last_id()
            for found in _sliced(tx.samples.series(0, key), key):
                held = tx.samples.reaching([one.id for one in found], since_ms, 2**62) | here
                some += [one for one in found if one.id in held]
        some += [one for one in self._roster.series_after(on_disk) if fulfils(one.labels, key)]
        return self._joined(_NOTHING, some, 0)

    def _joined(self, known: Known, fresh: Sequence[Series], seen: int) -> Known:
        return Known(
            [*known.labels, *map(self._roster.shared, fresh)],
            np.append(known.ids, [one.id for one in fresh]).astype(np.int64),
            np.append(known.sources, [one.source for one in fresh]).astype(np.int64),
            seen,
        )


_NOTHING = Known([], np.empty(0, np.int64), np.empty(0, np.int64), 0)


def _sliced(series: Iterator[Series], key: tuple[Matcher, ...]) -> Iterator[list[Series]]:
    """Yield those that fulfil every matcher, some at a time."""
    while some := list(islice(series, _SLICE)):
        yield [one for one in some if fulfils(one.labels, key)]
