"""Explain: how a rule and each of its alerts stand, stage by stage, and who was told and who was not, each with why.

A rule is observed before, by a reader; here it is only laid beside what the desk knows, which costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sentinel.core.alert import Alert, Condition, Observed, Phase
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.notification import Notification, Told
from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.engine.hearers import Hearer, hearers
from sentinel.engine.state import State
from sentinel.routing.draft import Draft
from sentinel.routing.hold import acknowledged, hold
from sentinel.routing.places import Place, places
from sentinel.routing.route import Policy
from sentinel.rules import OTHERS
from sentinel.rules.rule import Rule


@dataclass(frozen=True, slots=True)
class Stage:
    """One thing that an alert passes on its way to people.

    Args:
        name: "silence", "mute", "cause", "route" …
        words: how it stands there.
        stops: whether nobody is told because of it.
    """

    name: str
    words: str
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Happening:
    """What the audit says of an alert."""

    at: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Past:
    """What only the database knows of an alert.

    Args:
        deliveries: about it, settled or not, the newest first.
        happenings: likewise.
        said: the last lines of the job that it is about, if it is about one.
    """

    deliveries: tuple[Notification, ...] = ()
    happenings: tuple[Happening, ...] = ()
    said: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """How one element of a rule stands.

    Args:
        labels: of the element.
        reason: why it is judged so, with the values filled in: "0.062 = 31 / 500 > 0.05".
        conditions: what was found, per severity.
        alert: as it stands; None where the element has none.
        stages: what the alert passes, in order.
        places: the groups that it belongs to, and who hears of it there.
        told: who heard, and what last.
        hearers: each notifier: why it was told, or was not.
        past: what the database knows.
    """

    labels: Labels
    reason: str
    conditions: Mapping[Severity, Condition]
    alert: Alert | None = None
    stages: tuple[Stage, ...] = ()
    places: tuple[Place, ...] = ()
    told: tuple[Told, ...] = ()
    hearers: tuple[Hearer, ...] = ()
    past: Past = field(default_factory=Past)


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a rule stands.

    Args:
        rule: the rule.
        at: the instant.
        promql: what it compiles to.
        elements: what that returns, those with an alert first.
        failure: why it cannot be evaluated, or "".
        rests: why it is not judged now, or "".
        nothing: why it returns nothing, or "".
        thresholds: severity to where it begins to be the case, in words.
    """

    rule: Rule
    at: datetime
    promql: str
    elements: tuple[Element, ...] = ()
    failure: str = ""
    rests: str = ""
    nothing: str = ""
    thresholds: Mapping[Severity, str] = field(default_factory=dict)


def explain(
    rule: Rule,
    seen: Iterable[Observed] | str,
    policy: Policy,
    state: State,
    now: datetime,
    past: Mapping[str, Past] | None = None,
    nothing: str = "",
) -> Explanation:
    """Say how a rule stands; nothing is evaluated or decided by that.

    Args:
        rule: the rule.
        seen: what an evaluation for this found, or why there was none.
        policy: who is to hear of what.
        state: how everything stands.
        now: the instant.
        past: fingerprint to what the database knows.
        nothing: why the evaluation found nothing, or "".
    """
    promql = str(rule.compiled.expr)
    thresholds = {
        level: f"where {rule.compiled.own[level]}" if level in rule.compiled.own else str(threshold)
        for level, threshold in sorted(rule.thresholds.items())
    }
    if isinstance(seen, str):
        return Explanation(rule, now, promql, failure=seen, thresholds=thresholds)
    if why := rule.rests(now):
        return Explanation(rule, now, promql, rests=why, thresholds=thresholds)
    draft = Draft(state.telling, policy, now, {})
    elements = [_element(rule, observed, draft, past or {}) for observed in seen]
    elements.sort(key=lambda element: (element.alert is None, element.labels))
    return Explanation(rule, now, promql, tuple(elements), nothing=nothing, thresholds=thresholds)


def _element(rule: Rule, seen: Observed, draft: Draft, past: Mapping[str, Past]) -> Element:
    key = fingerprint(rule.name, seen.labels)
    known = past.get(key, Past())
    alert = draft.telling.alerts.of(rule.name).get(key)
    if alert is None:
        return Element(seen.labels, seen.reason, seen.conditions, stages=tuple(_limit(rule, seen, draft)), past=known)
    return Element(
        seen.labels,
        seen.reason,
        seen.conditions,
        alert,
        tuple(_stages(rule, alert, draft)),
        places(alert, draft.policy),
        tuple(draft.telling.told_of(key).values()),
        tuple(hearers(alert, draft, known.deliveries)),
        known,
    )


def _stages(rule: Rule, alert: Alert, draft: Draft) -> Iterator[Stage]:
    """Yield what the alert passes, in the order in which it does."""
    yield from _severities(rule, alert, draft.now)
    yield _silence(alert, draft)
    yield from _mutes(alert, draft)
    yield from _cause(alert, draft)
    if why := acknowledged(alert, draft):
        yield Stage("ack", f"{why}: no reminders, no escalation")
    elif ack := draft.telling.acknowledgements.get(alert.fingerprint):
        why = "the alert rose" if alert.severity and alert.severity > ack.severity else "its time is over"
        yield Stage("ack", f"{ack.author} had it in hand, which ended: {why}")
    yield from _routes(alert, draft)
    for place in places(alert, draft.policy):
        yield from _group(place, draft)


def _limit(rule: Rule, seen: Observed, draft: Draft) -> Iterator[Stage]:
    """Yield why what is the case has no alert of its own."""
    if Condition.HOLDS in seen.conditions.values() and fingerprint(rule.name, OTHERS) in draft.telling.alerts.of(
        rule.name
    ):
        yield Stage(
            "limit", f"has no alert of its own: it is beyond the limit of {rule.limit}, and counted by one", stops=True
        )


def _severities(rule: Rule, alert: Alert, now: datetime) -> Iterator[Stage]:
    for level, standing in sorted(alert.standings.items(), reverse=True):
        words = f"{standing.phase} since {_at(standing.since)}"
        patience = rule.patience.get(level)
        if standing.unknown_since:
            words += f", held as it is: nothing is known since {_at(standing.unknown_since)}"
        elif patience and standing.phase is Phase.PENDING:
            words += f", fires in {_left(patience.hold_for - standing.lasted(now))} if it stays so (`for`)"
        elif patience and standing.phase is Phase.RECOVERING and patience.keep_firing_for:
            left = _left(patience.keep_firing_for - standing.lasted(now))
            words += f", over in {left} if it stays so (`keep_firing_for`)"
        yield Stage(str(level), words, stops=alert.severity is None)


def _silence(alert: Alert, draft: Draft) -> Stage:
    silences = draft.telling.silences
    found = list(silences.matching(alert, draft.now))
    if not found:
        return Stage("silence", f"none of {len(silences)} matches" if silences else "there is none")
    one = found[0]
    return Stage("silence", f"{one.id} by {one.author} until {_at(one.ends_at)}: {one.reason}", stops=True)


def _mutes(alert: Alert, draft: Draft) -> Iterator[Stage]:
    for mute in draft.policy.mutes:
        if not mute.match.matches(alert):
            continue
        during = mute.during.contains(draft.now)
        change = mute.during.next_change_after(draft.now)
        when = (
            f"{'until' if during else 'not now, next at'} {_at(change)}" if change else "always" if during else "never"
        )
        yield Stage("mute", f"{mute.name} {when}{f': {mute.reason}' if mute.reason else ''}", stops=during)


def _cause(alert: Alert, draft: Draft) -> Iterator[Stage]:
    """Yield the cause that covers an alert, unless a silence or a mute holds it before that is asked."""
    held = hold(alert, draft)
    if held and not held.why.startswith(("silenced by", "muted by")):
        yield Stage("cause", held.why, stops=True)


def _routes(alert: Alert, draft: Draft) -> Iterator[Stage]:
    taken = {place.route.name: place for place in places(alert, draft.policy)}
    ended_by = ""
    for route in draft.policy.tried:
        name = f'"{route.name}"{f" ({route.position})" if route.position else ""}'
        if miss := route.match.misses(alert):
            yield Stage("route", f"{name} does not take it: {miss}")
        elif ended_by:
            yield Stage("route", f'{name} is not tried: "{ended_by}" took it and does not say `continue`')
        elif (place := taken.get(route.name)) and place.notifiers:
            yield Stage("route", f"{name} takes it: {', '.join(place.notifiers)}")
        else:
            why = "tells nobody" if not route.notify else "all that it tells hear of it through an earlier route"
            yield Stage("route", f"{name} takes it and {why}", stops=not route.notify)
        if not miss and not route.continue_:
            ended_by = ended_by or route.name


def _group(place: Place, draft: Draft) -> Iterator[Stage]:
    group = draft.telling.groups.get(place.key)
    if group is None:
        yield Stage("group", f"{place.key}: it has not joined it")
        return
    count = len(group.alerts)
    parts = [f"{group.key}: {count} alert{'s' if count != 1 else ''}"]
    if group.told_at:
        parts.append(f"{'told' if group.told_at <= draft.now else 'is told'} at {_at(group.told_at)}")
    if group.repeat_at:
        parts.append(f"reminder at {_at(group.repeat_at)}")
    if group.severity_since and group.escalated < len(place.route.escalate):
        step = place.route.escalate[group.escalated]
        parts.append(f"escalates to {', '.join(step.notify)} at {_at(group.severity_since + step.after)}")
    yield Stage("group", ", ".join(parts))


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"


def _left(span: timedelta) -> str:
    return format_duration(timedelta(seconds=round(max(span, timedelta()).total_seconds())))
