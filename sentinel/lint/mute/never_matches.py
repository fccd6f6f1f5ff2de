"""mute/never-matches: a mute should be about alerts that the tree can raise.

Why
    With a mistyped name nothing is muted, and somebody is woken by what was to be silent that night.

Bad
    mutes:
      vacuum: {match: {rule: slow-query}, during: {cron: "0 2 * * sun", lasts: 2h}, reason: weekly vacuum}
    rules:
      slow-queries: {last: query_seconds, above: 5s, severity: error}

Good
    mutes:
      vacuum: {match: {rule: slow-queries}, during: {cron: "0 2 * * sun", lasts: 2h}, reason: weekly vacuum}
    rules:
      slow-queries: {last: query_seconds, above: 5s, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import few_enough, possible, unmatched

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a mute that fits no alert."""
    if context.whole is None or not context.rules:
        return
    kinds = possible(context)
    if not few_enough(kinds, len(context.whole.policy.mutes)):
        return
    for mute in context.whole.policy.mutes:
        if (found := unmatched(mute.match, kinds)) is not None:
            yield Flaw(context.at("mutes", mute.name, "match", found.key), found.says, found.fix)
