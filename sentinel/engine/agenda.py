"""Agenda: which rules are due: when a sample that they read has arrived, when a timer of theirs ends, or at the latest.

arrival                  due at once; where more arrive than one each `spacing`, at that pace (one may come early), and
                         a rule that is dear to evaluate so that it takes a tenth of the time at most
no arrival               due `latest` after the last evaluation
end of a `for`, …        due then, whatever the spacing; so it is when its hours begin or end
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING

from sentinel.alerts import next_at
from sentinel.core.labels import Labels
from sentinel.engine.readers import Readers
from sentinel.routing.telling import Alerts
from sentinel.routing.timers import Timers
from sentinel.rules.grouped import Alerting
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SECOND = timedelta(seconds=1)
#: No rule waits longer for its next evaluation, unless its window is so long that it may.
LATEST = timedelta(seconds=15)
#: A rule with ten thousand alerts takes a second to evaluate: it rests for so many times what it took.
RESTS = 9

_AT_ONCE: Mapping[str, timedelta] = MappingProxyType({})


def spacing(rule: Rule) -> timedelta:
    """Return how far apart two evaluations on arrival are at least: the six-hundredth part of the window.

    What also looks at a shorter time (5 minutes now beside 5 a week ago) is evaluated ten times in the shortest.
    """
    shortest = min((read.window for read in rule.reads), default=rule.window)
    return max(SECOND, min(rule.window / 600, shortest / 10))


def latest(rule: Rule) -> timedelta:
    """Return after how long a rule is evaluated though nothing arrived."""
    return max(LATEST, spacing(rule))


class Agenda:
    """The rules, and when each is due; those of groups have their slots, and are passed over.

    Args:
        rules: all of them.
        series: ids and labels of the series that there are.
        now: the instant; at a start no rule is due before fresh data arrive, or before `latest` has passed.
    """

    def __init__(self, rules: Iterable[Rule], series: Iterable[tuple[int, Labels]], now: datetime) -> None:
        self._rules = _arriving(rules)
        self._readers = Readers(self._rules.values(), series)
        self._paced: dict[str, datetime] = {}  # until when the evaluations so far use up what the pace allows
        self._away: set[str] = set()
        self._due = Timers()
        self._now = now
        for rule in self._rules.values():
            self._due.set(rule.name, now + latest(rule))

    def reload(self, rules: Iterable[Rule], series: Iterable[tuple[int, Labels]], now: datetime) -> None:
        """Take over other rules: those that are new or changed are due now, the others when they would have been."""
        before, self._rules = self._rules, _arriving(rules)
        self._readers = Readers(self._rules.values(), series)
        for name in before.keys() - self._rules.keys():
            self._due.set(name, None)
            self._paced.pop(name, None)
            self._away.discard(name)
        for name, rule in self._rules.items():
            if before.get(name) != rule:
                self.back(name, now)

    def appeared(self, series: Iterable[tuple[int, Labels]]) -> None:
        """Take note of series that are new; to be called before `touched` with their ids."""
        self._readers.appeared(series)

    def vanished(self, ids: Collection[int]) -> None:
        """Forget series that are in memory no more."""
        self._readers.vanished(ids)

    def touched(self, ids: NDArray[np.int64], now: datetime) -> None:
        """Make the rules due that read one of these series."""
        for name in self._readers.of(ids):
            # One spacing may be used ahead: a look a second at a pace of one a second is never put off to the phase of
            # some earlier evaluation, and stays there.
            paced = self._paced.get(name)
            self._sooner(name, now if paced is None else max(now, paced - spacing(self._rules[name])))

    def due(self, now: datetime) -> list[Rule]:
        """Return the rules that are due; they stay so until they were evaluated."""
        if now < self._now:  # the clock was set back: what was planned by it means nothing any more
            self._paced.clear()
            for name in self._rules.keys() - self._away:
                self._due.set(name, now)
        self._now = now
        return [self._rules[name] for name in self._due.due(now)]

    def away(self, name: str) -> None:
        """Let a rule not be due while a reader observes it."""
        self._away.add(name)
        self._due.set(name, None)

    def back(self, name: str, now: datetime) -> None:
        """Let a rule be due now; nobody reads for it any more."""
        self._away.discard(name)
        self._due.set(name, now)

    def evaluated(
        self, names: Iterable[str], alerts: Alerts, now: datetime, took: Mapping[str, timedelta] = _AT_ONCE
    ) -> None:
        """Plan the next evaluation of rules that were evaluated, or that failed.

        Args:
            names: of the rules.
            alerts: as they are after it; the end of a `for` or a `keep_firing_for` makes their rule due then.
            now: when it was.
            took: how long the evaluation of each took, where that was noted.
        """
        for name in names:
            if (rule := self._rules.get(name)) is None:
                continue
            rest = min(RESTS * took.get(name, timedelta()), latest(rule))
            self._paced[name] = max(now, self._paced.get(name, now)) + max(spacing(rule), rest)
            ends = [next_at(alert, rule.patience) for alert in alerts.of(name).values()]
            soonest = min((end for end in (*ends, rule.changes_after(now)) if end), default=now + latest(rule))
            self._due.set(name, min(now + latest(rule), max(soonest, now + SECOND)))

    @property
    def next_at(self) -> datetime | None:
        """When the next rule is due."""
        return self._due.next_at

    @property
    def rules(self) -> Mapping[str, Rule]:
        """The rules, by name."""
        return self._rules

    def _sooner(self, name: str, at: datetime) -> None:
        if name in self._away:
            return
        planned = self._due.at(name)
        if planned is None or at < planned:
            self._due.set(name, at)


def _arriving(rules: Iterable[Rule]) -> dict[str, Rule]:
    return {rule.name: rule for rule in rules if not isinstance(rule, Alerting)}
