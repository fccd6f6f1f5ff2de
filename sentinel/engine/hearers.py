"""Hearers: why each notifier was told of an alert, or was not, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sentinel.core.alert import Alert
from sentinel.core.notification import Notification, Settlement
from sentinel.routing.draft import Draft
from sentinel.routing.hold import acknowledged, hold
from sentinel.routing.places import audience, places


@dataclass(frozen=True, slots=True)
class Hearer:
    """One notifier.

    Args:
        notifier: its name.
        told: whether it heard of the alert, and has not heard of its end.
        words: why, or why not.
    """

    notifier: str
    told: bool
    words: str


def hearers(alert: Alert, draft: Draft, deliveries: Sequence[Notification]) -> Iterator[Hearer]:
    """Yield every notifier, those that were told first.

    Args:
        alert: that goes on.
        draft: a round in which nothing has happened yet.
        deliveries: about the alert, the newest first.
    """
    told = draft.telling.told_of(alert.fingerprint)
    for name in sorted(draft.policy.notifiers, key=lambda name: (name not in told, name)):
        mine = [row for row in deliveries if row.notifier == name]
        if name in told:
            one = told[name]
            why = f"{mine[0].reason}, " if mine else ""
            yield Hearer(name, True, f"told at {_at(one.at)}: {why}{one.severity}{_owed(name, alert, draft)}")
        else:
            yield Hearer(name, False, _why_not(name, alert, draft, mine))


def _why_not(name: str, alert: Alert, draft: Draft, mine: list[Notification]) -> str:
    """Return the first reason that there is: what is under way, then what stops it, then that nobody meant to."""
    if owed := _owed(name, alert, draft).lstrip(", "):
        return f"not told yet: {owed}"
    if name not in audience(alert, draft.policy):
        return _not_on_route(name, alert, draft)
    if alert.severity is None:
        return "not told yet: it is pending, `for` is not over"
    if held := hold(alert, draft):
        return f"not told: {held.why}"
    if mine and mine[0].settlement is Settlement.DEAD:
        return f"not told, given up after {len(mine[0].attempts)} tries: {mine[0].why}"
    if mine and mine[0].settlement is Settlement.WITHDRAWN:
        return f"not told: {mine[0].why}"
    return "not told: it was not on the route when the alert fired, and hears of the next change"


def _owed(name: str, alert: Alert, draft: Draft) -> str:
    rows = [draft.telling.open[id_] for id_ in sorted(draft.telling.ids_about(alert.fingerprint))]
    for row in rows:
        if row.notifier == name:
            when = f"at {_at(row.next_at or row.due_at)}" if (row.next_at or row.due_at) > draft.now else "now"
            if row.settlement is Settlement.SENDING:
                when = "is being sent"
            tried = f" (try {row.tries + 1}; {row.attempts[-1].error})" if row.attempts else ""
            return f", {row.reason} {when}{tried}"
    return ""


def _not_on_route(name: str, alert: Alert, draft: Draft) -> str:
    """Say through which route it would hear: by escalation, or not for a reason."""
    for place in places(alert, draft.policy):
        group = draft.telling.groups.get(place.key)
        for number, step in enumerate(place.route.escalate):
            if name not in step.notify:
                continue
            if why := acknowledged(alert, draft):
                return f"not told: {why}"
            if group and group.severity_since and number >= group.escalated:
                at = group.severity_since + step.after
                return f'not told yet: route "{place.route.name}" escalates to it at {_at(at)}'
    for route in draft.policy.tried:
        if name in route.notify and (miss := route.match.misses(alert)):
            return f'not told: route "{route.name}" does not take it: {miss}'
        if name in route.notify:
            return f'not told: an earlier route took it before "{route.name}"'
    return "not told: no route that takes it names it"


def _at(instant: datetime) -> str:
    return f"{instant:%H:%M:%S} UTC"
