"""rule/same: two rules should not say the same.

Why
    Whoever is woken twice for one thing mends one rule and is woken by the other.

Bad
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
    - alert: Down
      expr: up==0
      labels: {severity: critical}

Bad too
    rules:
      deep: {last: queue_depth, above: 5, severity: error}
      long: {last: queue_depth, above: 5, severity: error}

Good
    - alert: Down
      expr: up{job="shop"} == 0
      labels: {severity: critical}
    - alert: Down
      expr: up{job="stock"} == 0
      labels: {severity: critical}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.summary import Summary

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a rule whose expression, labels and severities an earlier one has."""
    known: dict[tuple[object, ...], Summary] = {}
    for rule in context.rules:
        if not rule.expr:
            continue
        name = rule.name if rule.kind == "record" else ""
        key = (rule.kind == "record", name, rule.expr, rule.interval_ms, rule.hold_ms, *sorted(rule.labels.items()))
        first = known.setdefault(key, rule)
        if first is not rule:
            says = f"{rule.name} says the same as {first.name} at {first.position}"
            yield Flaw(rule.position, says, "remove one of them")
