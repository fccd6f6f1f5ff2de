"""rule/until-over: a rule that is off until some day should be off no longer than that.

Why
    Since that day it is on again: whoever reads `enabled: false` believes that it is not.

Bad
    last: queue_depth
    above: 5
    enabled: false
    until: 2020-01-01 08:00

Good
    last: queue_depth
    above: 5
    enabled: false
    until: 2030-01-01 08:00
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag an `until` that lies in the past."""
    for view in context.views.values():
        rule = view.rule
        if rule is not None and rule.until is not None and rule.until <= context.now:
            says = f"this has been over since {rule.until:%Y-%m-%d}: the rule is on again"
            yield Flaw(view.at("until"), says, "drop enabled and until, or write a later day")
