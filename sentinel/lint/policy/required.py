"""policy/required: a rule that alerts should have what `policy:` requires of it.

Why
    The team has agreed on it: an alert without an owner or a runbook is nobody's.

Bad
    policy: {require: [owner, runbook], labels: {team: payments|search}}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, owner: shop, labels: {team: shop}}

Good
    policy: {require: [owner, runbook], labels: {team: payments|search}}
    rules:
      deep:
        last: queue_depth
        above: 5
        severity: error
        owner: shop
        runbook: https://runbooks.example.com/deep
        labels: {team: search}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.regex import full_match
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.demanded import demanded
from sentinel.lint.flaw import Flaw
from sentinel.lint.summary import Summary

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag what is missing, and labels whose values are not as they should be."""
    for rule, demands in demanded(context):
        if rule.kind == "record":
            continue
        for key in demands.require:
            if not _has(rule, key):
                yield Flaw(rule.position, f"{rule.name} has no {key}", f"add {key}:, as this folder's policy demands")
        for name in demands.annotations if rule.kind == "alert" else ():
            if name not in rule.texts:
                yield Flaw(rule.position, f"{rule.name} has no annotation {name}", f"add {name}: under annotations")
        for name, pattern in demands.labels.items():
            value = rule.labels.get(name, "")
            if not value:
                yield Flaw(rule.position, f"{rule.name} has no label {name}", f"add {name}: {pattern} under labels")
            elif "{{" not in value and not full_match(pattern, value):
                yield Flaw(rule.position, f'the label {name} of {rule.name} is "{value}"', f"it should match {pattern}")


def _has(rule: Summary, key: str) -> bool:
    if key == "owner":
        return bool(rule.labels.get("owner"))
    return key in rule.texts or f"{key}_url" in rule.texts
