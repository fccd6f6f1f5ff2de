"""mute/hides-critical: a mute should not hide a critical alert for ever.

Why
    A critical alert that is never told is one that nobody acts on.

Bad
    mutes:
      quiet: {match: {owner: shop}, during: {days: mon-sun, from: 00:00, to: 24:00}, reason: loud}
    rules:
      down: {last: up, below: 1, severity: critical, owner: shop}

Good
    mutes:
      quiet: {match: {owner: shop, severity: warning}, during: {days: mon-fri, from: 18:00, to: 09:00}, reason: loud}
    rules:
      down: {last: up, below: 1, severity: critical, owner: shop}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from sentinel.core.schedule import Schedule
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.possible import may_match, possible

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a mute without a gap in the next month that may cover what is critical."""
    if context.known is None or not context.known.policy.mutes:
        return
    kinds = [kind for kind in possible(context) if kind.get("severity") == "critical"]
    for mute in context.known.policy.mutes:
        hidden = next((kind for kind in kinds if may_match(mute.match, kind)), None)
        if hidden is not None and _without_gap(mute.during, context.now):
            says = f"{mute.name} is never over, and hides {hidden['rule']}, which is critical"
            yield Flaw(context.at("mutes", mute.name), says, "match severity: warning, or let it end")


def _without_gap(schedule: Schedule, now: datetime) -> bool:
    """Say whether a schedule is in from now on for a month."""
    reached, end_of_month = now, now + timedelta(days=31)
    for begin, end in islice(schedule.spans_from(now), 200):
        if begin > reached:
            return False
        reached = max(reached, end)
        if reached >= end_of_month:
            return True
    return False
