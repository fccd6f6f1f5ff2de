"""Preview: which alerts a silence would cover now, and what it could have meant where it covers none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sentinel.agent.view import View
from sentinel.core.alert import Alert
from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.routing.match import Match, attribute
from sentinel.rules.rule import Rule

#: What every alert has under these is known from the configuration.
_KEYS = ("rule", "severity", "owner", "probe", "file")


@dataclass(frozen=True, slots=True)
class Preview:
    """What conditions cover.

    Args:
        alerts: that go on now, the gravest first.
        rules: that have none now which would be covered, and may have some later.
        warning: why it covers nothing now, in words; "" where it does.
    """

    alerts: tuple[Alert, ...]
    rules: tuple[str, ...] = ()
    warning: str = ""


def preview(view: View, match: Match) -> Preview:
    """Say what these conditions cover."""
    alerts = tuple(alert for alert in view.alerts if match.matches(alert))
    busy = {alert.rule for alert in alerts}
    may = tuple(rule.name for rule in view.config.rules.values() if rule.name not in busy and _may(rule, match))
    if alerts:
        return Preview(alerts, may)
    hints = tuple(_hints(view, match))
    if hints:
        return Preview((), (), f"covers nothing: {'; '.join(hints)}")
    return Preview((), may, "covers no alert now")


def _may(rule: Rule, match: Match) -> bool:
    """Say whether an alert of this rule could be meant, as far as the rule itself tells."""
    return all(_may_be(rule, key, values) for key, values in match.wanted)


def _may_be(rule: Rule, key: str, values: tuple[str, ...]) -> bool:
    one, alert = Match(((key, values),)), rule.blank
    if key == "severity":
        return any(one.matches(replace(alert, peak=level)) for level in rule.thresholds)
    return one.matches(alert) or (key not in ("rule", "file") and not attribute(alert, key))


def _hints(view: View, match: Match) -> Iterator[str]:
    """Say of each condition that names something unknown what was probably meant."""
    names = {*_KEYS, *(name for one in _alerts(view) for name in (*one.labels.names(), *one.rule_labels))}
    for key, values in match.wanted:
        known = _known(view, key)
        if key not in names:
            yield f'no alert has a label "{key}" now{_did_you_mean(key, names)}'
            continue
        for value in values:
            if (
                known
                and value not in known
                and not value.startswith("!")
                and not value.endswith("+")
                and "*" not in value
            ):
                yield f'no {key} is "{value}"{_did_you_mean(value, known)}'


def _known(view: View, key: str) -> set[str]:
    config = view.config
    if key == "rule":
        return set(config.rules)
    if key == "severity":
        return {str(level) for level in Severity}
    found = {attribute(alert, key) for alert in _alerts(view)} - {""}
    return found | (set(config.probes) if key == "probe" else set())


def _alerts(view: View) -> Iterator[Alert]:
    """Iterate over the alerts there are, and over one for each rule, which has what all of its alerts have."""
    yield from view.alerts
    yield from (rule.blank for rule in view.config.rules.values())


def _did_you_mean(word: str, known: set[str]) -> str:
    hint = near(word, known)
    return f"; {hint}" if hint else ""
