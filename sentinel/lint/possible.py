"""Possible: the alerts that a tree's rules can raise, as far as that can be known beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.routing.match import Match, fits

#: What is known of an alert by the keys of `match`; a key that is missing may have any value.
Known = Mapping[str, str]
#: So many pairs of a match and an alert are looked at.
_MOST_PAIRS = 200_000


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


class Unmatched(NamedTuple):
    """Why no alert is as somebody wants it: the key of the condition, what is wrong, and a proposal."""

    key: str
    says: str
    fix: str


def few_enough(kinds: Sequence[Known], matches: int) -> bool:
    """Say whether each match can be held against each alert in a moment."""
    return len(kinds) * matches <= _MOST_PAIRS


def unmatched(match: Match, kinds: Sequence[Known]) -> Unmatched | None:
    """Return why no alert fulfils a match; None where one may."""
    if match.everything or any(may_match(match, kind) for kind in kinds):
        return None
    key, values = _hopeless(match, kinds)
    says = f"no rule of this tree can raise an alert with {key}: {' or '.join(values)}"
    known = {value for kind in kinds if (value := kind.get(key))}
    return Unmatched(key, says, _as_pattern(values[0]) or near(values[0], known))


def _hopeless(match: Match, kinds: Sequence[Known]) -> tuple[str, tuple[str, ...]]:
    """Return the condition that no alert fulfils; the first where only all together are never true."""
    for key, values in match.wanted:
        if not any(may_match(Match(((key, values),)), kind) for kind in kinds):
            return key, values
    return match.wanted[0]


def _as_pattern(value: str) -> str:
    """Return how a regular expression is written here, "" for a value that looks like none."""
    if not re.search(r"^[=!]?~|\.[*+]|\||^\^|\$$|\[", value):
        return ""
    bare = re.sub(r"^=?~|^\^|\$$|[()\"]", "", value)
    words = re.sub(r"\.[*+]", "*", bare).split("|")
    plain = all(re.fullmatch(r"!?[\w*./:-]+", word) for word in words)
    better = words[0] if len(words) == 1 else f"[{', '.join(words)}]"
    return "patterns know * only, and several values are a list" + (f": {better}" if plain else "")


def _any(key: str, values: Sequence[str], text: str) -> bool:
    return any(_fits_severity(value, text) if key == "severity" else fits(value, text) for value in values)


def _fits_severity(wanted: str, level: str) -> bool:
    if wanted.startswith("!"):
        return not _fits_severity(wanted[1:], level)
    if wanted.endswith("+"):
        return Severity.of(level) >= Severity.of(wanted[:-1])
    return fits(wanted, level)
