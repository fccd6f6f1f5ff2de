"""The policy: routes, mutes and inhibitions as configuration hands them over. Frozen values, no behaviour in time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from sentinel.core.problem import Position
from sentinel.core.severity import Severity
from sentinel.routing.index import Index
from sentinel.routing.match import EVERYTHING, Match

if TYPE_CHECKING:
    from sentinel.core.schedule import Schedule

#: What holds where a route does not set them; a critical alert waits for neither of them then.
GROUP_WAIT = timedelta(seconds=10)
GROUP_INTERVAL = timedelta(minutes=1)
REPEAT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Escalation:
    """One step: so long after the first message at this severity, these hear of it too."""

    after: timedelta
    notify: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Whom the alerts that match are told to, and how they are gathered.

    Args:
        name: of the route; with the group's labels it is the group's key.
        match: which alerts it takes.
        notify: names of notifiers; none drops the alert knowingly.
        group_by: labels (or rule, severity, owner, probe, file) whose values make a group; `...` is a group per alert.
        group_wait: how long a new group gathers before it is told; None is 10 s, and nothing for what is critical.
        group_interval: how long a group that was told gathers; None is 1 min, and nothing for what is critical.
        repeat: how long after the last word those who were told are reminded.
        escalate: whom else, when nobody acknowledges.
        continue_: whether the routes below are tried as well.
        position: where it is written.
    """

    name: str
    match: Match = EVERYTHING
    notify: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ("rule",)
    group_wait: timedelta | None = None
    group_interval: timedelta | None = None
    repeat: timedelta = REPEAT
    escalate: tuple[Escalation, ...] = ()
    continue_: bool = False
    position: Position | None = None

    def wait(self, severity: Severity) -> timedelta:
        """Return how long a first message at this severity waits for others."""
        if self.group_wait is not None:
            return self.group_wait
        return timedelta() if severity is Severity.CRITICAL else GROUP_WAIT

    def interval(self, severity: Severity) -> timedelta:
        """Return how long a further message at this severity keeps its distance from the one before."""
        if self.group_interval is not None:
            return self.group_interval
        return timedelta() if severity is Severity.CRITICAL else GROUP_INTERVAL


@dataclass(frozen=True, slots=True)
class Mute:
    """Hours in which alerts that match are not told; those that still fire at the end are told then."""

    name: str
    match: Match
    during: Schedule
    reason: str = ""
    position: Position | None = None


@dataclass(frozen=True, slots=True)
class Inhibition:
    """While `cause` fires, what it `covers` (with equal values of `equal`) is judged and not told.

    `depends_on` is one of these, written at the dependent rule.
    """

    name: str
    cause: Match
    covers: Match
    equal: tuple[str, ...] = ()
    position: Position | None = None


@dataclass(frozen=True)  # no slots: what is worked out of it once is kept in it
class Policy:
    """Everything that decides who is told.

    Args:
        routes: in the order in which they are tried; none sends everything to every notifier.
        notifiers: the names of all that are configured.
        mutes: by schedule.
        inhibitions: `inhibit` and `depends_on`.
        fallbacks: notifier to the one that is told when it cannot be.
        editors: the notifiers whose messages can be changed, and so are kept at the newest value.
        renewals: the notifiers that are told again what goes on, quietly, and how often.
    """

    routes: tuple[Route, ...] = ()
    notifiers: tuple[str, ...] = ()
    mutes: tuple[Mute, ...] = ()
    inhibitions: tuple[Inhibition, ...] = ()
    fallbacks: Mapping[str, str] = field(default_factory=dict)
    editors: frozenset[str] = frozenset()
    renewals: Mapping[str, timedelta] = field(default_factory=dict)

    @cached_property
    def tried(self) -> tuple[Route, ...]:
        """The routes, or the one that stands in where none is written: everything to every notifier."""
        return self.routes or (Route(name="everything", notify=self.notifiers),)

    @cached_property
    def named(self) -> Mapping[str, Route]:
        """The routes by name."""
        return {route.name: route for route in reversed(self.tried)}

    @cached_property
    def taking(self) -> Index[Route]:
        """The routes, by the alerts that they take."""
        return Index((route.match, route) for route in self.tried)

    @cached_property
    def muting(self) -> Index[Mute]:
        """The mutes, by the alerts that they are about."""
        return Index((mute.match, mute) for mute in self.mutes)

    @cached_property
    def causing(self) -> Index[Inhibition]:
        """The inhibitions, by the alerts that are their cause."""
        return Index((inhibition.cause, inhibition) for inhibition in self.inhibitions)

    @cached_property
    def covering(self) -> Index[Inhibition]:
        """The inhibitions, by the alerts that they cover; what is their cause as well is not covered."""
        return Index((inhibition.covers, inhibition) for inhibition in self.inhibitions)
