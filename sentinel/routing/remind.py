"""Reminders and escalation: what a group is owed because time passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sentinel.core.alert import Alert
from sentinel.core.notification import Group, Reason
from sentinel.routing.draft import Draft
from sentinel.routing.due import look_again, route_of
from sentinel.routing.firing import hold_back
from sentinel.routing.hold import PATIENCE, acknowledged, hold
from sentinel.routing.places import places
from sentinel.routing.route import Escalation, Route


def remind(group: Group, draft: Draft) -> None:
    """Remind of what still fires, once however late, then take the steps of the escalation that are due.

    A step is not taken while all of the group is in somebody's hands or held back: it is taken when that ends.
    """
    route, now = route_of(group, draft), draft.now
    waiting = [
        alert
        for member in list(draft.members(group.key))
        if (alert := draft.alert(member)) and _may_be_told(alert, draft)
    ]
    if group.repeat_at and group.repeat_at <= now:
        reminded = [_remind_of(alert, group, draft) for alert in waiting]
        group = replace(group, repeat_at=now + route.repeat, told_at=now if any(reminded) else group.told_at)
    steps = _due(group, route, now) if waiting else ()
    for step in steps:
        _escalate(group, waiting, step.notify, draft)
    group = replace(group, escalated=group.escalated + len(steps))
    draft.put_group(group)
    look_again(group, route, draft)
    if not waiting and (at := draft.timers[group.key]) is not None and at <= now:
        acks = (draft.acknowledgement(member) for member in draft.members(group.key))
        ends = (ack.ends_at for ack in acks if ack and ack.ends_at > now)
        draft.timers[group.key] = min(ends, default=now + PATIENCE)


def _due(group: Group, route: Route, now: datetime) -> tuple[Escalation, ...]:
    since = group.severity_since
    return tuple(step for step in route.escalate[group.escalated :] if since and since + step.after <= now)


def _may_be_told(alert: Alert, draft: Draft) -> bool:
    if why := acknowledged(alert, draft):
        draft.say(alert.fingerprint, f"no reminder: {why}")
        return False
    if held := hold(alert, draft):
        draft.hold(alert, held)
        hold_back(alert, held.why, draft)
        return False
    return True


def _remind_of(alert: Alert, group: Group, draft: Draft) -> bool:
    """Remind everybody who hears of the alert through this group, unless word of it is on its way to him.

    What only changes the message that is there calls nobody: it stands in no reminder's way.
    """
    owed = {row.notifier for row in draft.debts.about(alert.fingerprint) if row.reason is not Reason.UPDATED}
    heard = draft.told(alert.fingerprint)
    listeners = [
        notifier
        for place in places(alert, draft.policy)
        if place.key == group.key
        for notifier in place.notifiers
        if notifier not in owed
    ]
    for notifier in listeners:
        told = heard.get(notifier)
        draft.owe(notifier, told.group if told else group.key, alert, Reason.REMINDER, draft.now)
    return bool(listeners)


def _escalate(group: Group, waiting: list[Alert], notify: tuple[str, ...], draft: Draft) -> None:
    """Tell these of the worst that nobody has in hand."""
    worst = max((alert.severity for alert in waiting if alert.severity is not None), default=None)
    for alert in waiting:
        if alert.severity == worst:
            for notifier in notify:
                told = draft.told(alert.fingerprint).get(notifier)
                if told is None or told.severity != worst:
                    draft.owe(notifier, told.group if told else group.key, alert, Reason.ESCALATION, draft.now)
