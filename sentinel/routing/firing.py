"""An alert that fires: who is owed word of it, and who has heard all there is to hear."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sentinel.core.alert import Alert, Change
from sentinel.core.notification import Notification, Reason, Told
from sentinel.core.severity import Severity
from sentinel.routing.draft import Draft
from sentinel.routing.due import call, first_due, further_due, joins, look_again, quiet_due, route_of
from sentinel.routing.hold import hold
from sentinel.routing.places import Place, audience, places

_QUIET = {Change.FELL, Change.RECOVERING, Change.RELAPSED, Change.DATA_AGAIN}
_MOVED = {Change.ROSE, Change.FELL}


@dataclass(frozen=True, slots=True)
class Listener:
    """One notifier that an alert concerns.

    Args:
        name: of the notifier.
        told: what he heard of the alert last; None where he heard nothing.
        rows: word of it that is on its way to him, the oldest first.
    """

    name: str
    told: Told | None
    rows: tuple[Notification, ...]

    @property
    def heard(self) -> Severity | None:
        """The severity at which he heard of the alert last."""
        return self.told.severity if self.told else None


@dataclass(frozen=True, slots=True)
class Look:
    """Why an alert is looked at.

    Args:
        change: its transition in this round, if that is why.
        heard: notifiers that heard something of it since the last round.
    """

    change: Change | None = None
    heard: frozenset[str] = frozenset()


def look_at(alert: Alert, look: Look, draft: Draft) -> None:
    """Owe everybody on the alert's route what he has not heard, unless its telling is held back.

    1. What is held back is taken out of every debt that nobody has leased.
    2. The alert joins the groups of its places; those there are owed what they have not heard.
    3. It leaves the groups that are no longer its places; who heard of it there hears that once.
    4. When it was held back and is not any more, whatever changed meanwhile is told, and its groups' reminders and
       escalation go on.
    """
    fingerprint, moved = alert.fingerprint, look.change in _MOVED
    was_held = draft.held(fingerprint) is not None
    if moved:
        draft.trim(alert)
    if look.change is Change.ROSE:
        draft.release(fingerprint)
    held = hold(alert, draft)
    draft.hold(alert, held)
    if held:
        hold_back(alert, held.why, draft)
        return
    told, rows = draft.told(fingerprint), draft.debts.about(fingerprint)
    for row in rows:
        if row.notifier in look.heard and not row.sealed:
            draft.debts.doubt(row)  # what he has heard now may leave less to tell
    before = _audience_before(fingerprint, draft) if moved else frozenset()
    before |= _audience_told(alert, told, draft) if was_held else frozenset()
    placed = places(alert, draft.policy)
    here = {place.key for place in placed}
    hearers = {name for place in placed for name in place.notifiers}
    for place in placed:
        joined = draft.join(place, fingerprint)
        rises = draft.worsens(place.key, alert.severity)
        for name in place.notifiers:
            listener = Listener(name, told.get(name), tuple([row for row in rows if row.notifier == name]))
            newcomer = joined or (moved and name not in before)
            _owe(alert, look, place, listener, draft, newcomer=newcomer, rises=rises)
    for key in draft.groups_of(fingerprint):
        if key not in here:
            draft.leave(key, fingerprint)
    _let_go(alert, before - hearers, draft)
    if was_held:
        _go_on(placed, draft)
    if not hearers:
        draft.say(fingerprint, f"route {placed[0].route.name} tells nobody" if placed else "no route takes it")


def refresh(alert: Alert, draft: Draft) -> None:
    """Let a new value or text, or what else it covers, change the messages that can be changed; it calls nobody."""
    fingerprint = alert.fingerprint
    before = draft.telling.alerts.get(fingerprint)
    if alert.severity is None or before is None or draft.held(fingerprint):
        return
    if before.texts == alert.texts and before.covers == alert.covers:
        return
    heard = draft.told(fingerprint)
    owed = {row.notifier for row in draft.debts.about(fingerprint)}
    for place in places(alert, draft.policy):
        for notifier in draft.policy.editors.intersection(place.notifiers):
            if (told := heard.get(notifier)) and notifier not in owed and told.severity == alert.severity:
                draft.owe(notifier, told.group, alert, Reason.UPDATED, quiet_due(told.at, place.route, draft.now))


def _owe(
    alert: Alert, look: Look, place: Place, listener: Listener, draft: Draft, *, newcomer: bool, rises: bool
) -> None:
    """Owe one notifier what he has not heard, in the message that he knows if there is one."""
    group, severity, now = draft.group(place.key), alert.severity, draft.now
    assert group is not None
    assert severity is not None
    reason = _reason(severity, look, listener, newcomer=newcomer, no_data_at=alert.no_data_at)
    if reason is None:
        return
    if reason is Reason.FIRING:
        due_at, reason = first_due(group, place.route, severity, now), joins(group, draft)
    elif reason is Reason.NO_DATA:
        due_at = now
    else:
        due_at = further_due(group, place.route, severity, now)
    known = listener.told or (listener.rows[-1] if listener.rows else None)
    draft.owe(listener.name, known.group if known else place.key, alert, reason, due_at)
    if reason is not Reason.UPDATED:
        call(draft, place.key, due_at, rose=rises)


def _reason(
    severity: Severity, look: Look, listener: Listener, *, newcomer: bool, no_data_at: datetime | None
) -> Reason | None:
    """Return why this notifier is owed word of an alert at this severity now; None where he is owed nothing new.

    What is on its way to him in a sealed message counts as unheard until it was accepted: a change makes a new debt,
    everything else waits for the receipt.
    """
    heard, rows = listener.heard, listener.rows
    match look.change:
        case Change.FIRED:
            return Reason.FIRING
        case Change.ROSE:
            if heard is not None and heard >= severity:
                return Reason.UPDATED  # he never heard that it had fallen
            return Reason.ROSE if heard or any(row.sealed for row in rows) else Reason.FIRING
        case Change.NO_DATA if heard or rows:
            return Reason.NO_DATA
        case change if change in _QUIET and heard and not _covered(rows):
            return Reason.UPDATED
    if heard is None:
        return Reason.FIRING if newcomer and not rows else None
    if rows or (look.change is None and look.heard and listener.name not in look.heard):
        return None
    if heard < severity:
        return Reason.ROSE
    if no_data_at and listener.told and listener.told.at < no_data_at:
        return Reason.NO_DATA  # it was held back then
    return Reason.UPDATED if heard > severity else None


def _covered(rows: Sequence[Notification]) -> bool:
    return any(not row.sealed for row in rows)


def _audience_before(fingerprint: str, draft: Draft) -> frozenset[str]:
    """Return who was on the alert's route before this round, if its telling had been decided."""
    before = draft.telling.alerts.get(fingerprint)
    if before is None or before.severity is None or not draft.telling.groups_of(fingerprint):
        return frozenset()
    return audience(before, draft.policy)


def _audience_told(alert: Alert, told: Mapping[str, Told], draft: Draft) -> frozenset[str]:
    """Return who heard of the alert on its route at another severity, and nothing since: its telling was held back."""
    return frozenset(
        name
        for name, one in told.items()
        if one.severity != alert.severity
        and name in audience(replace(alert, standings={}, peak=one.severity), draft.policy)
    )


def hold_back(alert: Alert, why: str, draft: Draft) -> None:
    """Take the alert out of what nobody has leased, and out of its groups: it joins them when it may be told."""
    fingerprint = alert.fingerprint
    for row in draft.debts.about(fingerprint):
        if not row.sealed and row.reason is not Reason.REROUTED:
            draft.take_back(row, fingerprint, why)
    for key in draft.groups_of(fingerprint):
        draft.leave(key, fingerprint)


def _go_on(placed: Iterable[Place], draft: Draft) -> None:
    """Let the reminders and the escalation of these groups go on."""
    for place in placed:
        if group := draft.group(place.key):
            look_again(group, place.route, draft)


def _let_go(alert: Alert, gone: frozenset[str], draft: Draft) -> None:
    """Tell those who are no longer on the route so, once; who heard nothing yet hears nothing."""
    for notifier in sorted(gone):
        heard = draft.told(alert.fingerprint)
        rows = [row for row in draft.debts.about(alert.fingerprint) if row.notifier == notifier]
        if told := heard.get(notifier):
            draft.owe(notifier, told.group, alert, Reason.REROUTED, _rerouted_due(told.group, alert, draft))
        elif sealed := [row for row in rows if row.sealed]:
            draft.owe(notifier, sealed[-1].group, alert, Reason.REROUTED, draft.now)
        else:
            for row in rows:
                draft.take_back(row, alert.fingerprint, "no longer on its route, and told nothing yet")


def _rerouted_due(key: str, alert: Alert, draft: Draft) -> datetime:
    group = draft.group(key)
    if group is None or alert.severity is None:
        return draft.now
    return further_due(group, route_of(group, draft), alert.severity, draft.now)
