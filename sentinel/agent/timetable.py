"""The timetable: wakes probes and housekeeping when they are due; never rules, never groups."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from apscheduler.executors.debug import DebugExecutor
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from sentinel.core.schedule import Cron, Every


class Moments(BaseTrigger):  # type: ignore[misc]  # APScheduler 3 has no types
    """Our schedules as a trigger: APScheduler's own cron misreads weekdays and asks the machine's clock."""

    def __init__(self, schedule: Every | Cron, name: str) -> None:
        self._schedule, self._name = schedule, name

    def get_next_fire_time(self, previous_fire_time: datetime | None, now: datetime) -> datetime:
        """Return the moment after the last one, or after now for a first."""
        return self._schedule.next_after(previous_fire_time or now, self._name)


class Timetable:
    """What is woken, and when. A late wake is made up for once, however many were missed."""

    def __init__(self) -> None:
        # This executor just calls: a wake sets an event, so a thread or a task for each would be most of its cost.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            executors={"default": DebugExecutor()},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def start(self) -> None:
        """Begin to wake; needs a running loop."""
        self._scheduler.start()

    def put(self, id_: str, schedule: Every | Cron, wake: Callable[[], None], *, name: str = "") -> None:
        """Wake this from now on; one of the same id is replaced. The offset of a fixed rate depends on the name."""
        moments = Moments(schedule, name or id_)
        self._scheduler.add_job(wake, moments, id=id_, name=id_, replace_existing=True)

    def remove(self, name: str) -> None:
        """Wake this no more."""
        if self._scheduler.get_job(name) is not None:
            self._scheduler.remove_job(name)

    def begin_anew(self) -> None:
        """Count each next moment from now on, after the machine's clock was set."""
        for job in self._scheduler.get_jobs():
            job.reschedule(job.trigger)

    def stop(self) -> None:
        """Wake nobody any more."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
