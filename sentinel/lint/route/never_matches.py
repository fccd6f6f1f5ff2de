"""route/never-matches: a route should be able to take some alert of the tree.

Why
    A route that takes nothing looks as if somebody were told.

Bad
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, owner: payments}
    routes:
      payments: {match: {owner: paymets}, notify: [hook]}
      everything: {notify: [hook]}

Good
    notifiers:
      hook: {webhook: https://hooks.example.com/x}
    rules:
      deep: {last: queue_depth, above: 5, severity: error, owner: payments}
    routes:
      payments: {match: {owner: payments}, notify: [hook]}
      everything: {notify: [hook]}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import hopeless, may_match, must_match, possible

SEVERITY = Severity.WARNING

_MOVE = "move it up, or let them continue: true"


def check(context: Context) -> Iterator[Flaw]:
    """Flag a route that no alert can reach: none is as it wants, or earlier routes take all that are."""
    if context.whole is None or not context.rules:
        return
    left = possible(context)
    for route in context.whole.policy.routes:
        fitting = [kind for kind in left if may_match(route.match, kind)]
        if fitting or route.match.everything:
            if not route.continue_:
                left = [kind for kind in left if not must_match(route.match, kind)]
            continue
        every = [kind for kind in possible(context) if may_match(route.match, kind)]
        if every:
            yield Flaw(context.at("routes", route.name), f"earlier routes take all that {route.name} matches", _MOVE)
        else:
            key, values = hopeless(route.match, possible(context))
            says = f"no rule of this tree can raise an alert with {key}: {' or '.join(values)}"
            fix = near(values[0], {value for kind in possible(context) if (value := kind.get(key))})
            yield Flaw(context.at("routes", route.name, "match", key), says, fix)
