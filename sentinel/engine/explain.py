"""Explain: what a rule compiles to, how each of its elements stands now, who was told, and why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.alert import Alert, Condition, Observed
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.notification import Notification, Told
from sentinel.core.severity import Severity
from sentinel.engine.decide import known
from sentinel.engine.state import State
from sentinel.routing.draft import Draft
from sentinel.routing.hold import acknowledged, hold
from sentinel.routing.places import Place, places
from sentinel.routing.route import Policy
from sentinel.rules.observe import observe
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    from sentinel.core.windows import Source


@dataclass(frozen=True, slots=True)
class Element:
    """How one element of a rule stands.

    Args:
        labels: of the element.
        reason: why it is judged so, with the values filled in: "0.062 = 31 / 500 > 0.05".
        conditions: what was found, per severity.
        alert: as it stands; None where the element has none.
        places: the groups that it belongs to, and who hears of it there.
        told: who heard, and what last.
        owed: word that is on its way.
        quiet: why nobody (more) is told now, each reason once.
    """

    labels: Labels
    reason: str
    conditions: Mapping[Severity, Condition]
    alert: Alert | None = None
    places: tuple[Place, ...] = ()
    told: tuple[Told, ...] = ()
    owed: tuple[Notification, ...] = ()
    quiet: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """How a rule stands.

    Args:
        rule: the rule.
        at: the instant.
        promql: what it compiles to.
        elements: what that returns, those with an alert first.
        failure: why it cannot be evaluated, or "".
    """

    rule: Rule
    at: datetime
    promql: str
    elements: tuple[Element, ...] = ()
    failure: str = ""
    thresholds: Mapping[Severity, str] = field(default_factory=dict)


def explain(rule: Rule, policy: Policy, state: State, source: Source, now: datetime) -> Explanation:
    """Evaluate a rule once more, to show it; nothing is decided by that."""
    promql = str(rule.compiled.expr)
    thresholds = {level: str(threshold) for level, threshold in sorted(rule.thresholds.items())}
    alerts = state.alerts.of(rule.name)
    try:
        seen = observe(rule, now, source, known(alerts), every=True)
    except QueryInvalid as exc:
        return Explanation(rule, now, promql, failure=str(exc), thresholds=thresholds)
    draft = Draft(state.telling, policy, now, {})
    elements = [_element(rule, observed, draft) for observed in seen]
    elements.sort(key=lambda element: (element.alert is None, element.labels))
    return Explanation(rule, now, promql, tuple(elements), thresholds=thresholds)


def lines(explanation: Explanation) -> Iterator[str]:
    """Say it in lines of text."""
    rule = explanation.rule
    yield f"{rule.name}  {rule.origin}".rstrip()
    yield f"  compiles to  {explanation.promql}"
    for level, threshold in explanation.thresholds.items():
        yield f"  {level:<11}  {threshold or 'whatever it returns'}"
    if explanation.failure:
        yield f"  cannot be evaluated: {explanation.failure}"
    elif not explanation.elements:
        yield "  returns nothing now"
    for element in explanation.elements:
        yield from _element_lines(element, explanation.at)


def _element(rule: Rule, seen: Observed, draft: Draft) -> Element:
    key = fingerprint(rule.name, seen.labels)
    alert = draft.telling.alerts.of(rule.name).get(key)
    if alert is None:
        return Element(seen.labels, seen.reason, seen.conditions)
    return Element(
        seen.labels,
        seen.reason,
        seen.conditions,
        alert,
        places(alert, draft.policy),
        tuple(draft.telling.told_of(key).values()),
        tuple(draft.debts.about(key)),
        tuple(_quiet(alert, draft)),
    )


def _quiet(alert: Alert, draft: Draft) -> Iterator[str]:
    """Say why nobody, or nobody more, is told now."""
    if alert.severity is None:
        yield "it is pending: nobody is told before `for` is over"
        return
    if held := hold(alert, draft):
        yield held.why
    if why := acknowledged(alert, draft):
        yield f"no reminders: {why}"
    placed = places(alert, draft.policy)
    if not any(place.notifiers for place in placed):
        yield f"route {placed[0].route.name} tells nobody" if placed else "no route takes it"
    for route in draft.policy.tried:
        if miss := route.match.misses(alert):
            yield f"not by route {route.name}: {miss}"


def _element_lines(element: Element, now: datetime) -> Iterator[str]:
    judged = ", ".join(f"{level} {condition}" for level, condition in sorted(element.conditions.items()))
    yield f"  {element.labels}"
    yield f"    now        {element.reason} ({judged})"
    if (alert := element.alert) is None:
        return
    since = f" since {alert.since:%Y-%m-%d %H:%M:%S} UTC" if alert.since else ""
    yield f"    alert      {alert.phase}{f', {alert.severity}' if alert.severity is not None else ''}{since}"
    for place in element.places:
        yield f"    group      {place.key} -> {', '.join(place.notifiers) or 'nobody'}"
    for told in element.told:
        yield f"    told       {told.notifier}: {told.severity} at {told.at:%Y-%m-%d %H:%M:%S} UTC"
    for row in element.owed:
        wait = max(0.0, (row.due_at - now).total_seconds())
        tried = f", {row.tries} tries so far: {row.attempts[-1].error}" if row.attempts else ""
        yield f"    owed       {row.notifier}: {row.reason}{f' in {wait:.0f} s' if wait else ' now'}{tried}"
    for why in element.quiet:
        yield f"    not told   {why}"
