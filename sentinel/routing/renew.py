"""Renewals: who takes for over what he has not heard of for long hears of it again, and nobody is called."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime, timedelta

from sentinel.core.alert import Alert
from sentinel.core.notification import Reason
from sentinel.routing.draft import Draft
from sentinel.routing.due import PUT_OFF
from sentinel.routing.places import places

#: What a group's timer of renewals is called before its key; no fingerprint and no key of a group begins so.
_TIMER = "renew "


def renew(due: Iterable[str], draft: Draft, fresh: Container[str]) -> None:
    """Look at the groups whose renewals are due, and at those of which something was settled since the last round.

    Args:
        due: timers that are.
        draft: the round.
        fresh: fingerprints of the alerts that were judged in it.
    """
    if not draft.policy.renewals:
        return
    keys = {name.removeprefix(_TIMER) for name in due if name.startswith(_TIMER)} | draft.telling.settled_groups
    for key in sorted(keys):
        times = [_renew(name, every, key, draft, fresh) for name, every in draft.policy.renewals.items()]
        draft.timers[_TIMER + key] = min((at for at in times if at), default=None)


def _renew(notifier: str, every: timedelta, key: str, draft: Draft, fresh: Container[str]) -> datetime | None:
    """Owe one notifier all that goes on in a group, if any of it is due, and return when to look again.

    What is silenced, muted or covered by a cause is renewed as well: left out, it would be told to be over.
    """
    heard = [
        (told, alert)
        for name, fingerprint in draft.telling.told_in(key)
        if name == notifier
        and (told := draft.told(fingerprint).get(notifier))
        and (alert := draft.alert(fingerprint))
        and alert.severity is not None
        and _listens(notifier, alert, draft)
    ]
    if not heard:
        return None
    due_at = min(told.at for told, _ in heard) + every
    if due_at > draft.now:
        return due_at
    if any(alert.fingerprint in draft.telling.unconfirmed and alert.fingerprint not in fresh for _, alert in heard):
        return draft.now + PUT_OFF
    for _, alert in heard:
        if all(row.notifier != notifier for row in draft.debts.about(alert.fingerprint)):
            draft.owe(notifier, key, alert, Reason.UPDATED, draft.now)
    return draft.now + every


def _listens(notifier: str, alert: Alert, draft: Draft) -> bool:
    """Say whether the alert's route still has this notifier, from the beginning or by a step of its escalation."""
    return any(
        notifier in place.notifiers or any(notifier in step.notify for step in place.route.escalate)
        for place in places(alert, draft.policy)
    )
