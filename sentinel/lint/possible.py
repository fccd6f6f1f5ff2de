"""Possible: the alerts that a tree's rules can raise, as far as that can be known beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.routing.match import Match, fits

#: What is known of an alert by the keys of `match`; a key that is missing may have any value.
Known = Mapping[str, str]


def possible(context: Context) -> list[Known]:
    """Return what is known of the alerts of each rule at each of its severities; built-in rules are among them."""
    found: list[Known] = []
    owners = {} if _series_have_owners(context) else {"owner": ""}
    for rule in context.rules:
        if rule.kind == "record":
            continue
        own = {name: value for name, value in rule.labels.items() if "{{" not in value and name != "severity"}
        found += [
            {**owners, **own, "rule": rule.name, "severity": level, "file": rule.file} for level in rule.severities
        ]
    config = context.known
    for rule_of_ours in config.rules.values() if config else ():
        if rule_of_ours.name not in context.views and rule_of_ours.position.file not in context.files:
            found += [
                {"owner": "", **rule_of_ours.labels, "rule": rule_of_ours.name, "severity": str(level)}
                for level in rule_of_ours.thresholds
            ]
    return found


def _series_have_owners(context: Context) -> bool:
    """Say whether an alert may have an owner that its rule does not name."""
    return any(probe.kind_name == "scrape" or "owner" in probe.labels for probe in context.probes.values())


def may_match(match: Match, known: Known) -> bool:
    """Say whether nothing that is known of an alert contradicts."""
    return all(key not in known or _any(key, values, known[key]) for key, values in match.wanted)


def must_match(match: Match, known: Known) -> bool:
    """Say whether all that is wanted is known to be so."""
    return all(key in known and _any(key, values, known[key]) for key, values in match.wanted)


def hopeless(match: Match, kinds: Sequence[Known]) -> tuple[str, tuple[str, ...]]:
    """Return the condition that no alert fulfils; the first where only all together are never true."""
    for key, values in match.wanted:
        if not any(may_match(Match(((key, values),)), kind) for kind in kinds):
            return key, values
    return match.wanted[0]


def _any(key: str, values: Sequence[str], text: str) -> bool:
    return any(_fits_severity(value, text) if key == "severity" else fits(value, text) for value in values)


def _fits_severity(wanted: str, level: str) -> bool:
    if wanted.startswith("!"):
        return not _fits_severity(wanted[1:], level)
    if wanted.endswith("+"):
        return Severity.of(level) >= Severity.of(wanted[:-1])
    return fits(wanted, level)
