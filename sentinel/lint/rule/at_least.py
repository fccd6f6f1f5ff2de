"""rule/at-least: a share should not be judged by a handful of events.

Why
    At night one failed purchase of two is 50 %, and somebody is woken for one customer's mistyped card. `at_least` says
    how many events there must be before a share means anything.

Bad
    ratio: {of: 'purchases_total{status="failed"}', to: purchases_total, over: 5m}
    above: 5%

Good
    ratio: {of: 'purchases_total{status="failed"}', to: purchases_total, over: 5m, at_least: 20}
    above: 5%
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING

_LEAST = {"ratio": 20, "burn_rate": 100}


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag shares over a window that speak of any number of events."""
    if rule.rule is None or rule.find(rule.form, "at_least"):
        return
    if rule.form == "burn_rate" or rule.find("ratio", "over"):
        says = "it judges any number of events, one of two as well"
        yield Flaw(rule.key_at(rule.form), says, f"add at_least: {_LEAST[rule.form]}")
