"""mute/over: a mute should have hours that are still to come.

Why
    One that is over hides nothing, and the next reader wonders what it is for.

Bad
    mutes:
      move: {match: {owner: shop}, during: {start: 2020-01-01 20:00, end: 2020-01-01 23:00}, reason: the move}

Good
    mutes:
      move: {match: {owner: shop}, during: {start: 2030-01-01 20:00, end: 2030-01-01 23:00}, reason: the move}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a mute that will never hold again."""
    for mute in context.known.policy.mutes if context.known else ():
        if next(iter(mute.during.spans_from(context.now)), None) is None:
            yield Flaw(context.at("mutes", mute.name), f"{mute.name} is over", "remove it")
