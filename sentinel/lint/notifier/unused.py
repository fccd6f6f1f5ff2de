"""notifier/unused: a notifier should be named by a route, an escalation or a fallback.

Why
    Whoever set it up believes to be told.

Bad
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
      oncall: {webhook: https://hooks.example.com/y}
    routes:
      everything: {notify: [hook]}

Good
    notifiers:
      hook: {webhook: https://hooks.example.com/x, fallback: oncall}
      oncall: {webhook: https://hooks.example.com/y}
    routes:
      everything: {notify: [hook]}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a notifier that nothing leads to; a tree without routes tells everybody."""
    if context.whole is None or not context.whole.policy.routes:
        return
    policy = context.whole.policy
    used = {name for route in policy.routes for name in route.notify}
    used |= {name for route in policy.routes for step in route.escalate for name in step.notify}
    used |= set(policy.fallbacks.values())
    for name in policy.notifiers:
        if name not in used:
            yield Flaw(context.at("notifiers", name), f"no route leads to {name}", "name it in a route, or remove it")
