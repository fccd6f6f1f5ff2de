"""probe/rare-cron: a cron expression should come true at least once a year.

Why
    One that names a day that hardly ever is (29 February on a Monday) looks like a schedule and is none.

Bad
    probes:
      yearly: {http: https://shop.example.com/health, cron: "0 0 29 2 *"}

Good
    probes:
      yearly: {http: https://shop.example.com/health, cron: "0 0 28 2 *"}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sentinel.core.schedule import Cron
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a cron whose next moment is more than a year away; one that never comes is an error of its own."""
    for name, probe in context.probes.items():
        own = getattr(probe.kind, "cron", None)
        cron = own if isinstance(own, Cron) else probe.every
        if not isinstance(cron, Cron):
            continue
        coming = next(iter(cron.after(context.now)))
        if coming - context.now > timedelta(days=366):
            path = (probe.kind_name, "cron") if isinstance(own, Cron) else ("cron",)
            says = f"{cron} comes true next on {coming:%Y-%m-%d}"
            yield Flaw(context.at("probes", name, *path), says, "look at its day and month")
