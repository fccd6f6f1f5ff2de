"""Leaps: the wall clock was set, or the machine slept; found by comparing it with the clock that never jumps.

ahead    nobody looked meanwhile: that time counts for nothing
back     what lies in the future is set aside, what was planned by the wrong time comes earlier, looking goes on
either   nothing is deleted for its age until the clock was steady for a day, if it leapt by more than an hour
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog

from sentinel.agent.jobs import excused
from sentinel.agent.ledger import write_outcome
from sentinel.core.clock import Clock, to_ms
from sentinel.core.heartbeat import Heartbeat
from sentinel.engine.set_back import set_back
from sentinel.store.database import Transaction
from sentinel.store.upkeep import Upkeep

if TYPE_CHECKING:
    from sentinel.agent.desk import Desk

log = structlog.get_logger()

#: The two clocks of a machine drift apart less than this between two looks unless something happened.
JUMP = timedelta(seconds=5)
#: A leap by more may be a mistake, by which nothing must be deleted.
_DOUBTFUL = timedelta(hours=1)
#: Ahead by more, the head would let go of what no chunk holds yet.
_FAR = timedelta(days=1)


class Leaps:
    """Answers them, on the desk's thread.

    Args:
        clock: both clocks.
        upkeep: deletes by age.
    """

    def __init__(self, clock: Clock, upkeep: Upkeep) -> None:
        self._clock, self._upkeep = clock, upkeep
        self._wall, self._monotonic = clock.now(), clock.monotonic()

    def begin(self, desk: Desk, alive: datetime | None) -> datetime | None:
        """Answer what happened while nobody looked; return since when that is, never later than now."""
        now = self._clock.now()
        if alive is None:
            return None
        if abs(now - alive) > _DOUBTFUL:
            self._upkeep.leapt(now)
        if alive - now > JUMP:
            self._set_back(desk, alive - now, now)
        return min(alive, now)

    def answer(self, desk: Desk) -> None:
        """Answer a leap since the last call.

        Raises:
            StoreUnavailable: it is not answered; the next call tries again.
        """
        now, monotonic = self._clock.now(), self._clock.monotonic()
        leap = now - self._wall - timedelta(seconds=monotonic - self._monotonic)
        if abs(leap) > _DOUBTFUL:
            self._upkeep.leapt(now)
        if leap > _FAR:
            self._upkeep.flush()
        if leap > JUMP:
            desk.was_away(now - leap)
        elif -leap > JUMP:
            count = desk.history.head.rewind(to_ms(now))
            self._upkeep.rewind(now)
            self._set_back(desk, -leap, now)
            desk.pen.carry()
            desk.look_anew()
            log.warning("the clock was set back: what lay in the future was set aside", samples=count)
        self._wall, self._monotonic = now, monotonic

    def _set_back(self, desk: Desk, by: timedelta, now: datetime) -> None:
        """Let all that was planned come earlier, in one transaction."""
        outcome = set_back(desk.state, by)
        jobs: dict[str, Heartbeat] = {}

        def write(tx: Transaction) -> None:
            write_outcome(tx, outcome, desk.config.revision.id)
            jobs.update(excused(tx, desk.config.probes, now + by, now))

        if (why := desk.pen.commit(write)) is not None:
            raise why
        desk.state.apply(outcome)
        desk.jobs.follow(desk.config.probes, jobs)
