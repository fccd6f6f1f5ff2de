"""inhibit/never-matches: the cause of an inhibition, and what it covers, should be alerts that the tree can raise.

Why
    With a mistyped name nothing is held back, and when the database is down every message there is comes at once.

Bad
    inhibit:
      behind: {cause: {rule: databse-down}, covers: {owner: shop}}
    rules:
      database-down: {last: up, below: 1, severity: critical, owner: data}
      shop-slow: {last: queue_depth, above: 5, severity: error, owner: shop}

Good
    inhibit:
      behind: {cause: {rule: database-down}, covers: {owner: shop}}
    rules:
      database-down: {last: up, below: 1, severity: critical, owner: data}
      shop-slow: {last: queue_depth, above: 5, severity: error, owner: shop}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import few_enough, possible, unmatched

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag each side that no alert fulfils."""
    if context.whole is None or not context.rules:
        return
    kinds = possible(context)
    written = [one for one in context.whole.policy.inhibitions if context.find("inhibit", one.name) is not None]
    if not few_enough(kinds, 2 * len(written)):
        return
    for inhibition in written:  # those of depends_on are looked at where they are read
        for side, match in (("cause", inhibition.cause), ("covers", inhibition.covers)):
            if (found := unmatched(match, kinds)) is not None:
                yield Flaw(context.at("inhibit", inhibition.name, side, found.key), found.says, found.fix)
