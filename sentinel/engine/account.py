"""Account: an explanation as lines of text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sentinel.core.notification import Notification
from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.engine.explain import Element, Explanation, Past
from sentinel.rules import Rule

#: Elements without an alert that are shown; of more their number says enough.
_QUIET_SHOWN = 20


def lines(explanation: Explanation) -> Iterator[str]:
    """Say it in lines of text."""
    rule = explanation.rule
    yield f"{rule.name}  {rule.origin}".rstrip()
    if rule.origin.author:
        yield f"  {'written by':<11}  {rule.origin.author}"
    yield f"  {'compiles to':<11}  {explanation.promql}"
    for level, threshold in explanation.thresholds.items():
        yield f"  {level:<11}  {threshold or 'whatever it returns'}{''.join(_waits(rule, level))}"
    for key, position in rule.defaults.items():
        yield f"  {'by default':<11}  {key}, from {position}"
    if explanation.failure:
        yield f"  cannot be evaluated: {explanation.failure}"
    elif explanation.rests:
        change = explanation.rule.changes_after(explanation.at)
        yield f"  is not judged now: {explanation.rests}{f' until {_at(change)}' if change else ''}"
    elif not explanation.elements:
        yield f"  returns nothing now{f': {explanation.nothing}' if explanation.nothing else ''}"
    quiet = [element for element in explanation.elements if element.alert is None]
    for element in explanation.elements:
        if element.alert is not None:
            yield from _element_lines(element)
    for element in quiet[:_QUIET_SHOWN]:
        yield from _element_lines(element)
    if len(quiet) > _QUIET_SHOWN:
        yield f"  and {len(quiet) - _QUIET_SHOWN} more that are well"


def _waits(rule: Rule, level: Severity) -> Iterator[str]:
    """Say what stands beside the threshold of a severity: how long it waits, and when it is over."""
    patience, recover = rule.patience[level], rule.thresholds[level].recover
    if patience.hold_for:
        yield f", for {format_duration(patience.hold_for)}"
    if recover:
        yield f", over at {recover}"
    if patience.keep_firing_for:
        yield f", kept for {format_duration(patience.keep_firing_for)}"


def past_lines(past: Past) -> Iterator[str]:
    """Say what the database knows of an alert."""
    for at, line in enumerate(past.said.splitlines()):
        yield _line("" if at else "job said", line)
    for row in reversed(past.deliveries):
        yield from _delivery(row)
    for happening in reversed(past.happenings):
        yield _line("history", f"{_at(happening.at)}  {happening.words}")


def _element_lines(element: Element) -> Iterator[str]:
    judged = ", ".join(f"{level} {condition}" for level, condition in sorted(element.conditions.items()))
    yield f"  {element.labels}"
    yield _line("now", f"{element.reason} ({judged})")
    if (alert := element.alert) is not None:
        since = f" since {_at(alert.since)}" if alert.since else ""
        severity = f", {alert.severity}" if alert.severity is not None else ""
        yield _line("alert", f"{alert.fingerprint}  {alert.phase}{severity}{since}")
    for stage in element.stages:
        yield _line(stage.name, f"{stage.words}{'  <- nobody is told' if stage.stops else ''}")
    for hearer in element.hearers:
        yield _line("told" if hearer.told else "-", f"{hearer.notifier}: {hearer.words}")
    yield from past_lines(element.past)


def _delivery(row: Notification) -> Iterator[str]:
    why = f": {row.why}" if row.why else ""
    stead = f" in the stead of {row.fallback_of}" if row.fallback_of else ""
    yield _line("delivery", f"{_at(row.created_at)}  {row.notifier} {row.reason} {row.settlement}{stead}{why}")
    for one in row.attempts:
        yield _line("", f"{_at(one.at)}  {one.error or 'accepted'} after {one.took_seconds:.2f} s")


def _line(name: str, words: str) -> str:
    return f"    {name:<9}  {words}".rstrip()


def _at(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M:%S} UTC"
