"""The clock was set back: what was planned by the wrong time comes earlier; nothing starts or ends by that."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from sentinel.alerts import resume
from sentinel.core.notification import Group, Notification
from sentinel.engine.outcome import Outcome
from sentinel.engine.state import State
from sentinel.routing.telling import Routed


def set_back(state: State, by: timedelta) -> Outcome:
    """Return alerts, groups, debts and timers as they are once all of them come earlier by so much.

    What is being sent keeps its lease: whoever sends it settles it. What is owed stays older than what will be, so that
    it is told first. Silences end when a person said that they end.
    """
    telling = state.telling
    routed = Routed(
        groups=tuple(_group(group, by) for group in telling.groups.values()),
        notifications=tuple(_debt(row, by) for row in telling.open.values()),
        timers={name: at - by for name, at in telling.timers},
        whole=False,
    )
    return Outcome(refreshed=tuple(resume(alert, -by) for alert in state.alerts), routed=routed)


def _group(group: Group, by: timedelta) -> Group:
    return replace(
        group,
        told_at=_earlier(group.told_at, by),
        repeat_at=_earlier(group.repeat_at, by),
        severity_since=_earlier(group.severity_since, by),
    )


def _debt(row: Notification, by: timedelta) -> Notification:
    return replace(row, created_at=row.created_at - by, due_at=row.due_at - by, next_at=_earlier(row.next_at, by))


def _earlier(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at - by
