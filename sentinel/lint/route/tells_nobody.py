"""route/tells-nobody: a critical alert should be told to somebody.

Why
    Critical means that somebody must act now.

Bad
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
    rules:
      down: {last: up, below: 1, severity: critical}
    routes:
      warnings: {match: {severity: warning}, notify: [hook]}
      everything: {notify: []}

Good
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
    rules:
      down: {last: up, below: 1, severity: critical}
    routes:
      warnings: {match: {severity: warning}, notify: []}
      everything: {notify: [hook]}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import Known, may_match, must_match, possible

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a route that drops what is critical, where no route before it that continues tells anybody."""
    if context.whole is None:
        return
    kinds = [kind for kind in possible(context) if kind.get("severity") == "critical"]
    told: list[Known] = []
    for route in context.whole.policy.routes:
        fitting = [kind for kind in kinds if may_match(route.match, kind)]
        lost = [kind for kind in fitting if kind not in told]
        if not route.notify and not route.escalate and lost:
            says = f"{route.name} tells nobody of {lost[0]['rule']}, which is critical"
            yield Flaw(
                context.at("routes", route.name, "notify"), says, "name a notifier, or match what is not critical"
            )
        sure = [kind for kind in fitting if must_match(route.match, kind)]
        told += sure if route.notify else []
        if not route.continue_:
            kinds = [kind for kind in kinds if kind not in sure]
