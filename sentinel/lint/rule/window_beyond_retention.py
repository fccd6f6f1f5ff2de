"""rule/window-beyond-retention: a rule should look back no further than samples are kept.

Why
    The older part of the window is always empty, so that the rule says less than it seems to.

Bad
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as orders_total from orders"}}
    rules:
      few-orders:
        increase: {of: orders_total, over: 60d}
        below: 1000
        severity: warning

Good
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as orders_total from orders"}}
    rules:
      few-orders:
        increase: {of: orders_total, over: 30d}
        below: 500
        severity: warning

Retention
    `SENTINEL_RETENTION` of the environment in which the check runs, by default 35d.
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.words import words

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a range or an offset that reaches back behind the oldest sample."""
    if context.inspection is None:
        return
    kept = round(context.retention.total_seconds() * 1000)
    for rule in context.rules:
        view = context.views.get(rule.name)
        if view is not None and view.rule is not None and view.rule.source:
            continue
        for read in rule.reads:
            if read.window_ms + read.offset_ms > kept:
                over = view.find(view.form, "over") if view is not None else None
                back = words(read.window_ms + read.offset_ms)
                says = f"looks back {back}, and samples are kept for {words(kept)}"
                yield Flaw(over or rule.at(read.mark), says, f"shorten it, or set SENTINEL_RETENTION={back}")
