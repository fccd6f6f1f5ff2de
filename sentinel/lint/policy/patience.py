"""policy/patience: `for` should be as long as `policy:` says.

Why
    Less patience wakes people for what passes by itself, more lets trouble go on.

Bad
    policy: {for_at_least: 1m, for_at_most: 1h}
    rules:
      deep: {last: queue_depth, above: 5, severity: error}

Good
    policy: {for_at_least: 1m, for_at_most: 1h}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, for: 5m}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.demanded import demanded
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a rule that alerts sooner or later."""
    for rule, demands in demanded(context):
        if rule.kind == "record":
            continue
        hold = timedelta(milliseconds=rule.hold_ms)
        least, most = demands.for_at_least, demands.for_at_most
        if least is not None and hold < least:
            says = f"for: {format_duration(hold)} is shorter than {format_duration(least)}"
            yield Flaw(rule.at(rule.hold_mark), says, f"write for: {format_duration(least)}")
        elif most is not None and hold > most:
            says = f"for: {format_duration(hold)} is longer than {format_duration(most)}"
            yield Flaw(rule.at(rule.hold_mark), says, f"write for: {format_duration(most)}")
