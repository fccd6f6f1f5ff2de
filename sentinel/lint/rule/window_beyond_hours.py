"""rule/window-beyond-hours: the window of a rule with hours should fit into them.

Why
    A window begins anew with the hours: a longer one is covered never, and the rule waits for it for ever.

Bad
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as orders_total from orders"}}
    rules:
      few-orders:
        increase: {of: orders_total, over: 24h}
        below: 1000
        severity: warning
        active: {days: mon-fri, from: 09:00, to: 18:00}

Good
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as orders_total from orders"}}
    rules:
      few-orders:
        increase: {of: orders_total, over: 2h}
        below: 100
        severity: warning
        active: {days: mon-fri, from: 09:00, to: 18:00}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import islice

from sentinel.core.quantity import format_duration
from sentinel.core.schedule import Schedule
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a window, and a `for`, that is longer than the longest stretch of the rule's hours."""
    for view in context.views.values():
        rule = view.rule
        if rule is None or rule.active is None:
            continue
        longest = longest_span(rule.active, context.now)
        if longest is None:
            continue
        if rule.window > longest:
            over = view.find(view.form, "over") or view.key
            says = f"{format_duration(rule.window)} do not fit into its hours, which last {format_duration(longest)}"
            yield Flaw(over, says, "shorten the window, or let the rule be active for longer")
        if view.hold_for > longest:
            says = f"for: {format_duration(view.hold_for)} is longer than its hours last ({format_duration(longest)})"
            yield Flaw(view.at("for"), says, "shorten it, or let the rule be active for longer")


def longest_span(schedule: Schedule, now: datetime) -> timedelta | None:
    """Return the longest stretch of the next fortnight or, where there is none, the next; None where it has no end."""
    longest = timedelta()
    for begin, end in islice(schedule.spans_from(now), 50):
        longest = max(longest, end - begin)
        if longest > timedelta(days=14):
            return None
        if begin > now + timedelta(days=14):
            break
    return longest or None
