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


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag ratios over a window that speak of any number of events."""
    if rule.form == "ratio" and rule.rule is not None and rule.find("ratio", "over"):
        compiled = rule.rule.compiled
        if compiled.events is None or not compiled.at_least:
            yield Flaw(rule.key_at("ratio"), "it judges any number of events, one of two as well", "add at_least: 20")
