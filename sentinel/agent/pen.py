"""The pen: every commit goes through it, with the samples that wait for the journal; it rests after one that failed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog

from sentinel.core.clock import Clock
from sentinel.core.errors import StoreUnavailable
from sentinel.store.database import Database, Transaction
from sentinel.store.head import Head

log = structlog.get_logger()

#: Samples that nobody waits for ride with the next commit, at the latest after so long.
RIDE_SECONDS = 1.0
#: The built-in rule that nothing can be written; while it is so, `alarm` tells it from memory.
RULE = "sentinel-database"
#: After a commit that failed: the first pause, doubled up to the last.
PAUSE_SECONDS = (0.1, 15.0)


class Pen:
    """Writes for the desk.

    Attributes:
        unwritten_since: since when nothing can be written; None while it can.
        unwritten_why: what the database says about it.
        lasting: whether that will not pass by itself.
        rests_until: on the monotonic clock, until when nothing is tried after a failure.
    """

    def __init__(self, database: Database, head: Head, clock: Clock) -> None:
        self._database, self._head, self._clock = database, head, clock
        self._ride_by: float | None = None
        self._pause_seconds = 0.0
        self.unwritten_since: datetime | None = None
        self.unwritten_why, self.lasting = "", False
        self.rests_until = float("-inf")

    def carry(self) -> None:
        """Note that samples wait to be written."""
        if self._ride_by is None:
            self._ride_by = self._clock.monotonic() + RIDE_SECONDS

    @property
    def due_at(self) -> float | None:
        """On the monotonic clock, when samples that wait must be written; None where none wait."""
        return None if self._ride_by is None else max(self._ride_by, self.rests_until)

    @property
    def resting(self) -> bool:
        """Whether a failure was so lately that nothing is tried."""
        return self._clock.monotonic() < self.rests_until

    def commit(self, write: Callable[[Transaction], None]) -> StoreUnavailable | None:
        """Commit this with all samples that wait; return why not, if that failed. Then nothing of it is written."""
        now = self._clock.now()
        rows = self._head.take_waiting()
        try:
            with self._database.begin() as tx:
                tx.samples.journal(rows)
                write(tx)
                tx.samples.alive(now)
        except StoreUnavailable as exc:
            self._head.put_back(rows)
            self._refused(exc, now)
            return exc
        except BaseException:
            self._head.put_back(rows)
            raise
        self._ride_by = None
        if self.unwritten_since is not None:
            log.info("the database takes what is written again", since=self.unwritten_since.isoformat())
            self.unwritten_since, self.unwritten_why, self._pause_seconds = None, "", 0.0
            self.lasting = False
        return None

    def _refused(self, why: StoreUnavailable, now: datetime) -> None:
        if self.unwritten_since is None:
            self.unwritten_since = now
            log.error("the database takes nothing", why=str(why))
        self.unwritten_why, self.lasting = str(why), why.lasting
        first, last = PAUSE_SECONDS
        self._pause_seconds = min(last, self._pause_seconds * 2 or first)
        self.rests_until = self._clock.monotonic() + self._pause_seconds
        self._ride_by = self._ride_by or self.rests_until
