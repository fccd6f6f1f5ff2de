"""Unreachable: what is observed of a rule whose source does not answer: nobody knows, and why."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel.core.alert import Condition, Observed
from sentinel.core.labels import Labels
from sentinel.rules.rule import Rule


def unreachable(rule: Rule, known: Iterable[Labels], why: str) -> list[Observed]:
    """Return that each of the rule's present alerts is unknown, or over where the rule takes that for it."""
    condition = Condition.OVER if rule.no_data == "resolve" else Condition.UNKNOWN
    limits = {level: str(threshold) for level, threshold in rule.thresholds.items()}
    return [Observed(labels, None, dict.fromkeys(rule.thresholds, condition), why, {}, limits) for labels in known]
