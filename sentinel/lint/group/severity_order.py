"""group/severity-order: of two thresholds of one alert the graver should be the later.

Why
    Where the critical one is passed first, people are woken by what was meant to be a hint, and the warning comes when
    it is too late.

Bad
    - alert: Deep
      expr: queue_depth > 500
      labels: {severity: warning}
    - alert: Deep
      expr: queue_depth > 100
      labels: {severity: critical}

Good
    - alert: Deep
      expr: queue_depth > 100
      labels: {severity: warning}
    - alert: Deep
      expr: queue_depth > 500
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import bound
from sentinel.lint.view import GroupView, RuleView
from sentinel.promql.ast import Operator

SEVERITY = Severity.ERROR

_UPPER = (Operator.GREATER, Operator.GREATER_EQUAL)
#: So many alerts of one name are compared with one another.
_MOST = 10


def check(group: GroupView) -> Iterator[Flaw]:
    """Flag an alert that is passed no later than one of its name that is less grave and no more patient."""
    by_name: dict[str, list[RuleView]] = {}
    for rule in group.rules:
        if rule.kind == "alert" and rule.whole is not None and len(rule.levels) == 1:
            by_name.setdefault(rule.name, []).append(rule)
    for rules in by_name.values():
        for grave in rules[:_MOST] if len(rules) > 1 else ():
            for lesser in rules[:_MOST]:
                if (
                    grave.levels[0] > lesser.levels[0]
                    and grave.hold_for <= lesser.hold_for
                    and _is_passed(grave, lesser)
                ):
                    says = f"{grave.levels[0]} is passed no later than {lesser.levels[0]}, at {lesser.key.position}"
                    assert grave.whole is not None
                    yield Flaw(grave.whole.at(grave.whole.expr), says, "exchange their thresholds")


def _is_passed(grave: RuleView, lesser: RuleView) -> bool:
    """Say whether the graver of two thresholds of the same value is passed first, or together with the other."""
    if grave.whole is None or lesser.whole is None:
        return False
    first, second = bound(grave.whole.expr), bound(lesser.whole.expr)
    if first is None or second is None or first[0] != second[0] or first[1] is not second[1]:
        return False
    return first[2] <= second[2] if first[1] in _UPPER else first[2] >= second[2]
