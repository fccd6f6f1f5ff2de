"""The timetable: wakes probes and housekeeping when they are due; never rules, never groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from sentinel.core.clock import Clock
from sentinel.core.schedule import Cron, Every

log = structlog.get_logger()

#: A timer is set anew so often at least: it counts time that passes, and a moment is one of the wall clock.
_LONGEST_SECONDS = 60.0
#: The loop rings up to so much early, by the resolution of its clock.
_EARLY = timedelta(milliseconds=1)

#: Is given the moment at which it was due.
Wake = Callable[[datetime], None]


@dataclass(slots=True)
class _Entry:
    id: str
    schedule: Every | Cron
    name: str
    wake: Wake
    due: datetime
    timer: asyncio.TimerHandle | None = None


class Timetable:
    """What is woken, and when. A late wake is made up for once, however many were missed.

    Args:
        clock: its `now` says what is due.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[str, _Entry] = {}
        self._running = False

    def start(self) -> None:
        """Begin to wake; needs a running loop."""
        self._running = True
        self.begin_anew()

    def put(self, id_: str, schedule: Every | Cron, wake: Wake, *, name: str = "") -> None:
        """Wake this from now on; one of the same id is replaced. The offset of a fixed rate depends on the name."""
        self.remove(id_)
        name = name or id_
        entry = self._entries[id_] = _Entry(id_, schedule, name, wake, schedule.next_after(self._clock.now(), name))
        self._arm(entry)

    def remove(self, id_: str) -> None:
        """Wake this no more."""
        if (entry := self._entries.pop(id_, None)) and entry.timer:
            entry.timer.cancel()

    def begin_anew(self) -> None:
        """Count each next moment from now on, after the machine's clock was set."""
        for entry in list(self._entries.values()):
            self.put(entry.id, entry.schedule, entry.wake, name=entry.name)

    def stop(self) -> None:
        """Wake nobody any more."""
        self._running = False
        for id_ in list(self._entries):
            self.remove(id_)

    def _arm(self, entry: _Entry) -> None:
        if self._running:
            left = (entry.due - self._clock.now()).total_seconds()
            entry.timer = asyncio.get_running_loop().call_later(min(left, _LONGEST_SECONDS), self._ring, entry)

    def _ring(self, entry: _Entry) -> None:
        now, due = self._clock.now(), entry.due
        if due - now > _EARLY:
            self._arm(entry)
            return
        entry.due = entry.schedule.next_after(max(now, due), entry.name)
        self._arm(entry)
        try:
            entry.wake(due)
        except Exception:  # the others are woken nevertheless
            log.exception("waking failed", what=entry.id)
