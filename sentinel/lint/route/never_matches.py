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

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import may_match, must_match, possible, unmatched

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
        elif (found := unmatched(route.match, possible(context))) is not None:
            yield Flaw(context.at("routes", route.name, "match", found.key), found.says, found.fix)
