"""rule/severity-order: what is worse should come later.

Why
    An alert has the highest of its severities that holds. Where the critical threshold is passed before the warning,
    the warning is never seen, and people are woken by what was meant to be a hint.

Bad
    last: queue_depth
    above: {warning: 500, critical: 100}

Good
    last: queue_depth
    above: {warning: 100, critical: 500}
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a threshold that is passed no later than that of a lesser severity, unless patience tells them apart."""
    if rule.rule is None or len(rule.rule.thresholds) < 2:
        return
    levels = sorted(rule.rule.thresholds.items())
    for (low, lesser), (high, greater) in pairwise(levels):
        patient = rule.rule.patience[high].hold_for > rule.rule.patience[low].hold_for
        for side, sign in (("above", 1), ("below", -1)):
            first, second = getattr(lesser, side), getattr(greater, side)
            if first is None or second is None or rule.find(side) is None or patient:
                continue
            if (second.value - first.value) * sign <= 0:
                says = f"{high} ({side} {second}) is passed no later than {low} ({side} {first}), which is never seen"
                yield Flaw(rule.key_at(side, str(high)), says, "exchange them, or drop one")
