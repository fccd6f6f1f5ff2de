"""Couriers: one worker for each notifier that is configured, through reloads, until the agent stops."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta

import structlog

from sentinel.core.clock import Clock
from sentinel.core.notification import Notification
from sentinel.delivery.attempt import SEND_TIMEOUT
from sentinel.delivery.deliver import Courier, Status, Write
from sentinel.delivery.lease import reclaim
from sentinel.delivery.words import Words
from sentinel.notifiers.notifier import Notifier

log = structlog.get_logger(__name__)


class Couriers:
    """All workers.

    Args:
        write: has something written by the desk.
        clock: what time it is.
        timeout: how long a receiver may take.
    """

    def __init__(self, write: Write, clock: Clock, timeout: timedelta = SEND_TIMEOUT) -> None:
        self._write, self._clock, self._timeout = write, clock, timeout
        self._couriers: dict[str, Courier] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._owed: Mapping[str, list[Notification]] = {}

    async def start(self, notifiers: Mapping[str, Notifier], words: Words) -> None:
        """Take up what an earlier agent left, and begin."""
        await self._write(lambda tx, _: reclaim(tx, self._clock.now()))
        self.follow(notifiers, words)

    def follow(self, notifiers: Mapping[str, Notifier], words: Words) -> None:
        """Work for these notifiers from now on: those that stay go on, those that are new begin, the others end.

        One that ends settles what it sends right now; routing looks after the rest of its debts. One whose notifier has
        another name goes on under that: its circuit is no younger for it.
        """
        for name, notifier in notifiers.items():
            if notifier.was in self._couriers and notifier.was not in notifiers and name not in self._couriers:
                self._couriers[name] = self._couriers.pop(notifier.was)
                self._tasks[name] = self._tasks.pop(notifier.was)
        for name in [name for name in self._couriers if name not in notifiers]:
            self._couriers.pop(name).stop()
            leaving = self._tasks.pop(name)
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
        for name, notifier in notifiers.items():
            if courier := self._couriers.get(name):
                courier.notifier, courier.words = notifier, words
                courier.wake()
                continue
            self._couriers[name] = Courier(notifier, self._write, self._clock, words, self.wake, self._timeout)
            self._tasks[name] = asyncio.create_task(self._couriers[name].run(), name=f"deliver {name}")
            self._tasks[name].add_done_callback(_ended)

    def look(self, owed: Iterable[Notification]) -> None:
        """Wake those whose debts are others than before; nobody else has a reason to ask the desk."""
        by_notifier: dict[str, list[Notification]] = defaultdict(list)
        for row in owed:
            by_notifier[row.notifier].append(row)
        was, self._owed = self._owed, by_notifier
        for name, rows in by_notifier.items():
            if rows != was.get(name):
                self.wake(name)

    def wake(self, name: str) -> None:
        """Let one worker look again."""
        if courier := self._couriers.get(name):
            courier.wake()

    async def stop(self, grace: timedelta) -> None:
        """Finish what is being sent; what takes longer keeps its lease, for the next start."""
        for courier in self._couriers.values():
            courier.stop()
        tasks = {*self._tasks.values(), *self._leaving}
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace.total_seconds())
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._couriers.clear()
        self._tasks.clear()

    def status(self) -> Mapping[str, Status]:
        """Return how each notifier fares."""
        return {name: courier.status() for name, courier in self._couriers.items()}


def _ended(task: asyncio.Task[None]) -> None:
    """Say it loudly should a worker end by a mistake of ours; a silent one would lose every message."""
    if not task.cancelled() and (exc := task.exception()):
        log.error("delivery worker ended", worker=task.get_name(), exc_info=exc)
