"""Likeness: how an alert, or a message, differs from what a test says of it. What it leaves out is not asked."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sentinel.config.cases import Case, ExpectKeys, Matching, TextLike
from sentinel.config.config import Config
from sentinel.core.alert import Alert
from sentinel.core.labels import Labels
from sentinel.core.quantity import format_duration, parse_quantity
from sentinel.core.regex import full_match
from sentinel.notifiers.message import Message
from sentinel.routing.match import fits
from sentinel.rules.units import in_base_units

#: Values are written with few digits; so near is the same.
_NEAR = 1e-6
_FIRING = {"firing", "recovering", "no data"}
_TEXTS = ("summary", "description", "runbook", "dashboard")


@dataclass(frozen=True, slots=True)
class Difference:
    """One key that is not as it is wanted; `path` leads to it from the expectation."""

    key: str
    wanted: str
    got: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Likeness:
    """What one expectation says."""

    expected: ExpectKeys
    case: Case
    config: Config

    def differences(self, alert: Alert) -> Iterator[Difference]:
        """Yield how an alert differs."""
        yield from self.of_labels(alert)
        expected, state = self.expected, state_of(alert)
        if state != expected.state and not (expected.state == "firing" and state in _FIRING):
            yield Difference("state", expected.state, state, ("state",))
        severity = alert.severity or max(alert.standings, default=None) or alert.peak
        if expected.severity is not None and severity is not expected.severity:
            yield Difference("severity", str(expected.severity), str(severity or "none"), ("severity",))
        if expected.value is not None and not self._same_value(alert):
            got = alert.texts.get("value") or ("nothing" if alert.value is None else f"{alert.value:g}")
            yield Difference("value", _written(expected.value), got, ("value",))
        if expected.since is not None and (alert.since is None or alert.since - self.case.start != expected.since):
            got = format_duration(alert.since - self.case.start) if alert.since else "never"
            yield Difference("since", format_duration(expected.since), got, ("since",))
        texts = {"threshold": alert.threshold, "reason": alert.reason, "owner": alert.owner}
        texts |= {name: alert.texts.get(name, "") for name in _TEXTS}
        for name, text in texts.items():
            wanted: TextLike | None = getattr(expected, name)
            if wanted is not None and not alike(wanted, text):
                yield Difference(name, _written(wanted), text, (name,))
        for name, wanted in expected.annotations.items():
            if not alike(wanted, text := alert.texts.get(name, "")):
                yield Difference(f"annotation {name}", _written(wanted), text, ("annotations", name))

    def of_labels(self, alert: Alert) -> Iterator[Difference]:
        """Yield how the labels of an alert differ; those of its rule count, too."""
        for name, wanted in self.expected.labels.items():
            got = alert.labels.get(name) or alert.rule_labels.get(name, "")
            if not alike(wanted, got):
                yield Difference(f"label {name}", _written(wanted), got or "nothing", ("labels", name))

    def labels_fit(self, labels: Labels) -> bool:
        """Say whether an alert with these labels may be meant."""
        return all(alike(wanted, labels.get(name)) for name, wanted in self.expected.labels.items())

    def of_message(self, message: Message) -> Difference | None:
        """Return the first part of a message that reads otherwise."""
        wanted = self.expected.message
        parts: Mapping[str, tuple[TextLike | None, str]] = {
            "title": (wanted.title if wanted else None, message.title),
            "text": (wanted.text if wanted else None, message.text),
            "body": (wanted.body if wanted else None, message.body),
        }
        for key, (text, got) in parts.items():
            if text is not None and not alike(text, got.strip()):
                return Difference(key, _written(text).strip(), got.strip())
        return None

    def _same_value(self, alert: Alert) -> bool:
        wanted, shown = self.expected.value, alert.texts.get("value", "")
        if wanted is None or alike(wanted, shown):
            return True
        if alert.value is None or isinstance(wanted, Matching):
            return False
        try:
            quantity = parse_quantity(wanted)
        except ValueError:
            return False
        number = in_base_units(quantity, self.config.rules[alert.rule].compiled).value
        return math.isclose(number, alert.value, rel_tol=_NEAR, abs_tol=1e-12)


def state_of(alert: Alert) -> str:
    """Return how an alert stands, in the words of a test."""
    if not alert.standings:
        return "resolved"
    if alert.severity is None:
        return "pending"
    return "no data" if alert.no_data_at is not None else str(alert.phase)


def alike(wanted: TextLike, text: str) -> bool:
    """Say whether a text is as it is wanted; blanks around it do not count."""
    if isinstance(wanted, Matching):
        return full_match(wanted.matches, text)
    return fits(wanted.strip(), text)


def _written(wanted: TextLike) -> str:
    return f"/{wanted.matches}/" if isinstance(wanted, Matching) else wanted
