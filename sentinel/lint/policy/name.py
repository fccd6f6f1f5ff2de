"""policy/name: a name should look as `policy:` says.

Why
    Names that are built alike are found, grouped and silenced alike.

Bad
    policy: {names: {rules: "[a-z]+-[a-z-]+"}}
    rules:
      deep: {last: queue_depth, above: 5, severity: error}

Good
    policy: {names: {rules: "[a-z]+-[a-z-]+"}}
    rules:
      queue-deep: {last: queue_depth, above: 5, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from sentinel.core.regex import full_match
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.demanded import demanded
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

_PLURALS: dict[str, Literal["rules", "alerts", "records"]] = {"rule": "rules", "alert": "alerts", "record": "records"}


def check(context: Context) -> Iterator[Flaw]:
    """Flag a name that does not match as a whole."""
    for rule, demands in demanded(context):
        pattern = demands.names.get(_PLURALS[rule.kind])
        if pattern is not None and not full_match(pattern, rule.name):
            yield Flaw(rule.position, f'"{rule.name}" is not a name as they should be', f"it should match {pattern}")
