"""Blindness: an agent whose network is gone sees nothing, and hears nobody; no job is judged by that time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.agent.jobs import excused
from sentinel.core.heartbeat import Heartbeat
from sentinel.store.database import Transaction

if TYPE_CHECKING:
    from sentinel.agent.desk import Desk


class Blindness:
    """Whether the agent sees, as the desk knows it; only on the desk's thread."""

    def __init__(self) -> None:
        self._since: datetime | None = None

    def note(self, desk: Desk, now: datetime, *, blind: bool) -> None:
        """Let nothing be known while the agent is blind, and let that time count for no job once it sees again.

        Raises:
            StoreUnavailable: that could not be written; until it is, the agent is as blind as it was.
        """
        if blind:
            self._since = self._since or now
        elif self._since is not None:
            self._excuse(desk, self._since, now)
            self._since = None
        desk.history.head.blind = blind

    def _excuse(self, desk: Desk, since: datetime, now: datetime) -> None:
        jobs: dict[str, Heartbeat] = {}

        def write(tx: Transaction) -> None:
            jobs.update(excused(tx, desk.config.probes, since, now))

        if (why := desk.pen.commit(write)) is not None:
            raise why
        desk.jobs.follow(desk.config.probes, jobs)
