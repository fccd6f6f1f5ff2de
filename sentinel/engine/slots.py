"""Slots: which groups of Prometheus rule files are due. A slot that passes unevaluated is missed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from sentinel.routing.timers import Timers
from sentinel.rules.grouped import RuleGroup


class Slots:
    """The groups, and when the next slot of each is.

    Args:
        groups: all of them.
        now: the instant; each begins with its first slot after it.

    Attributes:
        missed: group to how many of its slots went by while it was not evaluated.
    """

    def __init__(self, groups: Iterable[RuleGroup], now: datetime) -> None:
        self._groups: dict[str, RuleGroup] = {}
        self._due = Timers()
        self._now = now
        self.missed: Counter[str] = Counter()
        self.reload(groups, now)

    def reload(self, groups: Iterable[RuleGroup], now: datetime) -> None:
        """Take over other groups; one that is as it was keeps its turn."""
        before, self._groups = self._groups, {group.key: group for group in groups}
        for key in before.keys() - self._groups.keys():
            self._due.set(key, None)
            del self.missed[key]
        for key, group in self._groups.items():
            if before.get(key) != group:
                self._due.set(key, group.slot_after(now))

    def due(self, now: datetime) -> list[tuple[RuleGroup, datetime]]:
        """Return the groups whose slot has come, each with the newest one; they stay due until they are taken."""
        if now < self._now:  # the clock was set back: slots begin anew
            for key, group in self._groups.items():
                self._due.set(key, group.slot_after(now))
        self._now = now
        groups = [self._groups[key] for key in self._due.due(now)]
        return [(group, group.slot(now)) for group in groups]

    def taken(self, group: RuleGroup, slot: datetime) -> None:
        """Let a group be due in the slot after this one; those between the one that was due and this are missed."""
        planned = self._due.at(group.key)
        if planned is not None and slot > planned:
            self.missed[group.key] += (slot - planned) // group.interval
        self._due.set(group.key, slot + group.interval)

    @property
    def next_at(self) -> datetime | None:
        """When the next slot is."""
        return self._due.next_at
