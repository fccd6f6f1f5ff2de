"""Route: who is owed word of what changed, why and when; pure.

Firing, a rise, joining a group, no data, a reminder, an escalation and a resolve are told; a fall and a new value only
change the message that is there. A debt is a row per notifier and group; what comes before it is sent joins it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from types import MappingProxyType

from sentinel.core.alert import Alert, Change, Transition
from sentinel.routing.draft import Draft, overlay
from sentinel.routing.due import PUT_OFF
from sentinel.routing.end import end
from sentinel.routing.firing import Look, look_at, refresh
from sentinel.routing.orphans import disown
from sentinel.routing.remind import remind
from sentinel.routing.renew import renew
from sentinel.routing.route import Policy
from sentinel.routing.telling import Routed, Telling


def route(
    transitions: Iterable[Transition],
    telling: Telling,
    policy: Policy,
    now: datetime,
    refreshed: Iterable[Alert] = (),
    suspects: Mapping[str, tuple[Alert, ...]] = MappingProxyType({}),
) -> Routed:
    """Return what one round owes to whom.

    1. What changed is told, each alert once, as it is after the round.
    2. Where a cause changed, what it may cover is looked at again: what is not told yet, and what is held. What a rule
       may be about to have (`suspects`, rule to alerts, of the rules that were evaluated) is a cause that pends.
    3. What somebody heard meanwhile may have left him behind: he is owed the rest.
    4. Timers that are due: reminders, escalations, ends of silences and mutes, renewals.
    5. Alerts that ended and are owed to nobody are forgotten, groups that are over are removed.
    """
    transitions, refreshed = tuple(transitions), tuple(refreshed)
    if telling.quiet(now) and not (transitions or refreshed or suspects):
        return Routed()
    draft = Draft(telling, policy, now, overlay(transitions, refreshed), suspects)
    changes = {transition.alert.fingerprint: transition.change for transition in transitions}
    due = telling.timers.due(now)
    looks = _looks(changes, due, draft)
    fresh = {alert.fingerprint for alert in refreshed} | changes.keys()
    for fingerprint, look in looks.items():
        _look(fingerprint, look, draft, fresh)
    for alert in refreshed:
        if alert.fingerprint not in looks:
            refresh(alert, draft)
    for alert in draft.causes():
        refresh(alert, draft)
    overdue = [name for name, at in draft.timers.items() if at is not None and at <= now]
    for key in dict.fromkeys([*due, *overdue]):
        if key in telling.groups:
            _remind(key, draft, fresh)
    renew(due, draft, fresh)
    return draft.routed()


def _looks(changes: Mapping[str, Change], due: Iterable[str], draft: Draft) -> Mapping[str, Look]:
    """Return the alerts that are to be looked at, each once, and why."""
    telling = draft.telling
    looks = {fingerprint: Look(change) for fingerprint, change in changes.items()}
    for fingerprint, heard in telling.heard.items():
        if not _is_up_to_date(fingerprint, heard, telling):
            looks.setdefault(fingerprint, Look(heard=frozenset(heard)))
    waiting = _untold(telling) if telling.anew else draft.covered_by(changes)
    again = [one for one in waiting if telling.anew or _is_untold(one, telling)]
    debts = {*telling.returned, *(name for name in due if name in telling.open)}
    again += disown(debts, draft, draft.policy.fallbacks)
    for name in due:
        if name not in telling.groups and name not in telling.open:
            draft.timers[name] = None
            again.append(name)
    for fingerprint in again:
        looks.setdefault(fingerprint, Look())
    return looks


def _is_up_to_date(fingerprint: str, heard: Collection[str], telling: Telling) -> bool:
    """Say whether those who just heard of an alert know how it stands, and no other word of it is owed or held back.

    So it is with nearly all that a storm tells: there is nothing to be decided anew of them.
    """
    alert = telling.alerts.get(fingerprint)
    if alert is None or alert.severity is None or alert.no_data_at or not heard:
        return False
    if fingerprint in telling.held or telling.ids_about(fingerprint):
        return False
    told = telling.told_of(fingerprint)
    return all(name in told and told[name].severity == alert.severity for name in heard)


def _look(fingerprint: str, look: Look, draft: Draft, fresh: set[str]) -> None:
    alert = draft.alert(fingerprint)
    if alert is None:
        return
    if alert.severity is None:
        end(alert, draft)
    elif fingerprint in draft.telling.unconfirmed and fingerprint not in fresh:
        draft.timers[fingerprint] = draft.now + PUT_OFF
    else:
        look_at(alert, look, draft)


def _remind(key: str, draft: Draft, fresh: set[str]) -> None:
    group = draft.group(key)
    if group and any(member in draft.telling.unconfirmed and member not in fresh for member in group.alerts):
        draft.timers[key] = draft.now + PUT_OFF
    elif group:
        remind(group, draft)


def _untold(telling: Telling) -> Iterator[str]:
    """Iterate over the alerts that are held, and those in debts that nobody has leased."""
    yield from telling.held
    for row in telling.open.values():
        if not row.sealed:
            yield from row.alerts


def _is_untold(fingerprint: str, telling: Telling) -> bool:
    """Say whether an alert is one of these."""
    return fingerprint in telling.held or any(not telling.open[id_].sealed for id_ in telling.ids_about(fingerprint))
