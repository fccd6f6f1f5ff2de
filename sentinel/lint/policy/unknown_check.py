"""policy/unknown-check: `policy:` should name checks that there are.

Why
    A mistyped name changes nothing.

Bad
    policy: {checks: {rule/for-to-short: off}}
    rules:
      deep: {last: queue_depth, above: 5, severity: error}

Good
    policy: {checks: {rule/for-too-short: off, policy/*: error}}
    rules:
      deep: {last: queue_depth, above: 5, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.config.tree import MappingNode
from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.ignore import fits
from sentinel.lint.page import names

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a name, or a family, that no check has."""
    if context.inspection is None:
        return
    for node in context.inspection.builder.gathered.policies.values():
        checks = node.values.get("checks")
        for name, key in checks.keys.items() if isinstance(checks, MappingNode) else ():
            if not any(fits(name, known) for known in names()):
                yield Flaw(key, f'no check is named "{name}"', near(name, set(names())))
