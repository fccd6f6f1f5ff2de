"""Housekeeping, in steps small enough to stand between two decisions: chunks, retention. Needs numpy."""

from __future__ import annotations

from datetime import datetime, timedelta

from sentinel.core.clock import to_ms
from sentinel.store.chunk import BLOCK
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.merge import merge
from sentinel.store.records import Records
from sentinel.store.samples import Damage

#: The journal is turned into chunks when its oldest entry is so old: a chunk's worth at one sample each 15 s.
FLUSH_AFTER = timedelta(minutes=30)

#: Chunks deleted, and pages given back, in one step; written is one block of series.
_CHUNKS, _PAGES = 8, 256

#: However little space there is: what is younger stays.
_KEPT = timedelta(hours=1)

#: How often it is looked whether anything is to be done.
_LOOK_EVERY = timedelta(seconds=10)

#: After the clock leapt, nothing is deleted for its age until it was steady for so long.
STEADY_FOR = timedelta(days=1)


class Upkeep:
    """Turns the journal into chunks, and deletes what is older than the retention, what was told as well.

    Belongs to the desk's thread.

    A round writes the samples that no chunk holds, one block of series a step; its last step deletes the journal's
    entries that were there when it began, in the same transaction. A crash in between leaves samples in both, which
    counts once.

    Args:
        database: where it is written.
        history: whose head is emptied, and whose readers report what is damaged.
        retention: samples older than this are deleted; alerts and audit never are. For what was told see `Records`.
        flush_after: see `FLUSH_AFTER`.
        most_bytes: where the database is greater, the oldest samples are deleted, but for the last hour; 0: no limit.

    Attributes:
        damages: what was found to be unreadable, and set aside.
        forgotten: ids of series that the head let go of; whoever keeps something of each takes them out.
    """

    def __init__(
        self,
        database: Database,
        history: History,
        retention: timedelta,
        flush_after: timedelta = FLUSH_AFTER,
        most_bytes: int = 0,
    ) -> None:
        self._database, self._history, self._head = database, history, history.head
        self._retention, self._flush_after, self._most_bytes = retention, flush_after, most_bytes
        self._records = Records(database, retention)
        self.damages: list[Damage] = []
        self.forgotten: list[int] = []
        self._round: list[int] | None = None
        self._covered = 0
        self._look_at: datetime | None = None
        self._cut: tuple[int, int] | None = None
        with database.read() as tx:
            self._steady_since = tx.samples.steady_since()

    def step(self, now: datetime) -> bool:
        """Do one small piece of work, and say whether there is more.

        Raises:
            StoreUnavailable: nothing was changed; the next step tries again.
        """
        if self._cut is not None:
            return self._rewind(*self._cut)
        if self._round is not None:
            return self._write(self._round)
        if self._look_at is None or now >= self._look_at:
            if self._begin(now) or self._expire(now):
                return True
            self._look_at = now + _LOOK_EVERY
        return self._steady(now) and self._records.step(now)

    def flush(self) -> None:
        """Write everything to chunks at once: before the clock leaves it far behind, and for tests."""
        self._finish_rewind()
        self._begin(None)
        while self._round is not None:
            self._write(self._round)

    def rewind(self, now: datetime) -> None:
        """Cut off what lies in the future, in steps to come: the clock was set back."""
        self._finish_rewind()
        with self._database.read() as tx:
            entry, _ = tx.samples.journal_tail()
        self._cut, self._round, self._look_at = (to_ms(now), entry), None, None

    def leapt(self, now: datetime) -> None:
        """Delete nothing for its age before the clock was steady for a day; a restart does not shorten that."""
        with self._database.begin() as tx:
            tx.samples.hold_retention(now)
        self._steady_since = now

    def _steady(self, now: datetime) -> bool:
        return self._steady_since is None or now - self._steady_since >= STEADY_FOR

    def _rewind(self, until_ms: int, entry: int) -> bool:
        with self._database.begin() as tx:
            more = tx.samples.rewind(until_ms, entry, _CHUNKS) > 0
        self.damages += tx.samples.aside
        self._cut = (until_ms, entry) if more else None
        return True

    def _finish_rewind(self) -> None:
        while self._cut is not None:
            self._rewind(*self._cut)

    def _begin(self, now: datetime | None) -> bool:
        """Begin a round if the journal is old enough (`now` None: in any case), and say whether one began."""
        with self._database.read() as tx:
            newest, oldest_ms = tx.samples.journal_tail()
        if oldest_ms is None or (now is not None and oldest_ms > to_ms(now - self._flush_after)):
            return False
        self._round, self._covered = self._head.roster.unflushed(), newest
        return True

    def _write(self, ids: list[int]) -> bool:
        """Write what no chunk holds of the first block's series."""
        now = [id_ for id_ in ids if id_ // BLOCK == ids[0] // BLOCK]
        later, roster = ids[len(now) :], self._head.roster
        fresh = {id_: row for id_ in now if len((row := roster.unflushed_of(id_))[0])}
        try:
            with self._database.begin() as tx:
                tx.samples.set_aside(self._history.take_damages())
                if fresh:
                    merge(tx.samples, fresh, {id_: roster.interval_ms(id_) for id_ in fresh})
                if not later:
                    tx.samples.looked(self._head.looks())
                    tx.samples.forget_journal(self._covered)
        except BaseException:
            self._round = None
            raise
        self.damages += tx.samples.aside
        roster.flushed({id_: int(ts[-1]) for id_, (ts, _) in fresh.items()})
        self._round = later or None
        return True

    def _expire(self, now: datetime) -> bool:
        """Delete some of what is too old; say whether there was any."""
        gone = self._head.forget(to_ms(now))
        self.forgotten += gone
        with self._database.begin() as tx:
            tx.samples.set_aside(self._history.take_damages())
            expired = tx.samples.expire(to_ms(now - self._retention), _CHUNKS) if self._steady(now) else set()
            if not expired and 0 < self._most_bytes < tx.samples.size_bytes():
                expired = tx.samples.expire(to_ms(now - _KEPT), _CHUNKS)
            asked = expired.union(gone)
            held = tx.samples.ends(asked)
            empty = [id_ for id_ in asked if id_ not in held and id_ not in self._head.roster]
            tx.samples.forget_series(empty)
            if expired:
                tx.samples.shrink(_PAGES)
        self.damages += tx.samples.aside
        self._history.forget(empty)
        return bool(expired)
