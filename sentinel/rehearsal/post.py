"""The post of a rehearsal: whoever is owed word is told when it is due, in the words that delivery finds.

Every receiver takes its message at once; retries, circuits and rate limits are not rehearsed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.notification import Attempt, Notification, Settled, Settlement, Told
from sentinel.delivery.order import choose
from sentinel.delivery.seal import Sealer
from sentinel.engine.state import State
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier

if TYPE_CHECKING:
    from sentinel.delivery.words import Words


@dataclass(frozen=True, slots=True)
class Heard:
    """A message that a receiver took, and when."""

    at: datetime
    message: Message


class Post:
    """Delivers what a state owes.

    Args:
        notifiers: by name.
        words: how facts become messages.
        state: whose debts they are.

    Attributes:
        heard: every message, in order.
    """

    def __init__(self, notifiers: Mapping[str, Notifier], words: Words, state: State) -> None:
        self._notifiers, self._words, self._state = notifiers, words, state
        self.heard: list[Heard] = []

    def deliver(self, now: datetime) -> bool:
        """Deliver what is due and waits for nothing else, and say whether there was anything."""
        rows = self._ready(now)
        for row in rows:
            self._send(row, now)
        return bool(rows)

    @property
    def next_at(self) -> datetime | None:
        """Return when the next debt is due."""
        return min((row.next_at or row.due_at for row in self._state.telling.open.values()), default=None)

    def _ready(self, now: datetime) -> list[Notification]:
        due = [row for row in self._state.telling.open.values() if (row.next_at or row.due_at) <= now]
        names = dict.fromkeys(row.notifier for row in due)
        return [row for name in names for row in choose([one for one in due if one.notifier == name], (), now)]

    def _send(self, row: Notification, now: datetime) -> None:
        telling, notifier = self._state.telling, self._notifiers.get(row.notifier)
        sealed = notifier and Sealer(notifier, self._words, now, telling).seal([row])
        if not sealed:
            gone = replace(row, settlement=Settlement.WITHDRAWN, next_at=None, why="nothing is left to be told")
            self._state.settled(Settled((gone,)))
            return
        message, _ = sealed
        self.heard.append(Heard(now, message))
        done = replace(row, settlement=Settlement.DELIVERED, next_at=None, tries=1, attempts=(Attempt(now),))
        receipt = {"number": str(len(self.heard))}
        heard = tuple(
            Told(row.notifier, fact.fingerprint, row.group, None if fact.over else fact.severity, now, receipt)
            for fact in message.facts.news
        )
        self._state.settled(Settled((done,), heard))
