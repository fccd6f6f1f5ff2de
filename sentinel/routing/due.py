"""When a debt is due: gathering before the first word of a group, and keeping distance after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.core.notification import Group, Reason
from sentinel.core.severity import Severity
from sentinel.routing.draft import Draft
from sentinel.routing.route import GROUP_INTERVAL, Route

#: How long a timer is put off that concerns an alert which was not judged since the agent started.
PUT_OFF = timedelta(seconds=1)


def route_of(group: Group, draft: Draft) -> Route:
    """Return the group's route; one that is not configured any more has every default."""
    return draft.policy.named.get(group.route) or Route(group.route)


def first_due(group: Group, route: Route, severity: Severity, now: datetime) -> datetime:
    """Return when an alert that begins is told: with what gathers, or at the group's distance from its last word."""
    wait, distance = route.wait(severity), route.interval(severity)
    if group.told_at is None:
        return now + wait
    if group.told_at > now:  # others gather already
        return group.told_at if wait or distance else now
    return max(now + wait, group.told_at + distance)


def further_due(group: Group, route: Route, severity: Severity, now: datetime) -> datetime:
    """Return when a change of an alert that was told is told."""
    distance = route.interval(severity)
    return max(now, group.told_at + distance) if group.told_at and distance else now


def quiet_due(heard_at: datetime, route: Route, now: datetime) -> datetime:
    """Return when a new value changes the message that is there, however critical: it calls nobody."""
    return max(now, heard_at + (GROUP_INTERVAL if route.group_interval is None else route.group_interval))


def was_called(group: Group, route: Route, due_at: datetime, *, rose: bool) -> Group:
    """Return a group of which people hear at that time: reminders and escalation count from there.

    Args:
        group: as it was.
        route: of it.
        due_at: when they hear.
        rose: whether its highest severity is new to them.
    """
    told_at = due_at if group.told_at is None or rose else max(group.told_at, due_at)
    repeat_at = told_at + route.repeat
    begins = rose or group.severity_since is None
    since, escalated = (due_at, 0) if begins else (group.severity_since, group.escalated)
    after = (told_at, repeat_at, since, escalated)
    if after == (group.told_at, group.repeat_at, group.severity_since, group.escalated):
        return group
    return replace(group, told_at=told_at, repeat_at=repeat_at, severity_since=since, escalated=escalated)


def look_again(group: Group, route: Route, draft: Draft) -> None:
    """Set the group's timer to its next reminder or escalation, if it has a member."""
    draft.timers[group.key] = _next_look(group, route) if draft.members(group.key) else None


def _next_look(group: Group, route: Route) -> datetime | None:
    times = [group.repeat_at] if group.repeat_at else []
    if group.severity_since and group.escalated < len(route.escalate):
        times.append(group.severity_since + route.escalate[group.escalated].after)
    return min(times, default=None)


def call(draft: Draft, key: str, due_at: datetime, *, rose: bool) -> None:
    """Note in the group that people hear of it at that time."""
    if group := draft.group(key):
        route = route_of(group, draft)
        called = was_called(group, route, due_at, rose=rose)
        if called is not group:
            draft.put_group(called)
        look_again(called, route, draft)


def joins(group: Group, draft: Draft) -> Reason:
    """Return why an alert that begins is told: it joins a group that people heard of, or it is the first."""
    heard = len(draft.members(group.key)) > 1 and any(draft.telling.told_in(group.key))
    return Reason.JOINED if heard else Reason.FIRING
