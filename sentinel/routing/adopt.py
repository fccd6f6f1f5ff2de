"""A new policy takes over what is told already, and by that alone tells nobody anything."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sentinel.core.alert import Alert
from sentinel.core.notification import Group
from sentinel.routing.draft import Draft
from sentinel.routing.due import look_again, route_of
from sentinel.routing.end import end
from sentinel.routing.orphans import disown
from sentinel.routing.places import Place, places
from sentinel.routing.route import Policy
from sentinel.routing.telling import Routed, Telling


def adopt(
    telling: Telling, policy: Policy, now: datetime, former: Policy | None = None, ended: Iterable[Alert] = ()
) -> Routed:
    """Return how groups and debts stand under another policy.

    1. Each alert whose telling was decided becomes a member where it belongs now, and is owed nothing for that. A cause
       covers no more what it does not explain any longer.
    2. A group that begins so takes over when people were told last, so that reminders go on as they would have.
    3. Debts to notifiers that are gone go to their fallbacks, or become dead letters.
    4. The end of alerts whose rule is gone is owed to those who heard of them.

    Args:
        telling: what is.
        policy: that holds from now on.
        now: the instant.
        former: that held until now; None at the start of the agent.
        ended: alerts that end with this policy, as they are after it.
    """
    over = {alert.fingerprint: alert for alert in ended}
    draft = Draft(telling, policy, now, over)
    for alert in list(telling.alerts):
        draft.trim(alert)
        if alert.fingerprint not in over and alert.severity is not None and draft.groups_of(alert.fingerprint):
            _move(alert, draft)
    for key in telling.groups:
        if group := draft.group(key):
            draft.put_group(group)
            look_again(group, route_of(group, draft), draft)
    for alert in over.values():
        end(alert, draft)
    for fingerprint in disown(telling.open, draft, former.fallbacks if former else policy.fallbacks):
        if (concerned := draft.alert(fingerprint)) and concerned.severity is None:
            end(concerned, draft)
    return replace(draft.routed(), whole=False)


def _move(alert: Alert, draft: Draft) -> None:
    fingerprint = alert.fingerprint
    placed = places(alert, draft.policy)
    old = draft.groups_of(fingerprint)
    sources = [group for key in old if (group := draft.group(key))]
    for place in placed:
        if place.key not in old:
            _continue(place, fingerprint, sources, draft)
    for key in old:
        if key not in {place.key for place in placed}:
            draft.leave(key, fingerprint)


def _continue(place: Place, fingerprint: str, sources: list[Group], draft: Draft) -> None:
    draft.join(place, fingerprint)
    group = draft.group(place.key)
    if group is None or group.told_at is not None:
        return
    told = [source.told_at for source in sources if source.told_at]
    repeats = [source.repeat_at for source in sources if source.repeat_at]
    since = [source.severity_since for source in sources if source.severity_since]
    group = replace(
        group,
        told_at=max(told, default=None),
        repeat_at=max(repeats, default=None),
        severity_since=min(since, default=None),
        escalated=max((source.escalated for source in sources), default=0),
    )
    draft.put_group(group)
    look_again(group, place.route, draft)
