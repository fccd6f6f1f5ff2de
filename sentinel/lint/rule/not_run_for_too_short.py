"""rule/not-run-for-too-short: `not_run_for` should be longer than the longest gap between two runs that are due.

Why
    A shorter one alarms between two runs that both come in time.

Bad
    probes:
      backup: {heartbeat: {cron: "0 2 * * mon-fri"}}
    rules:
      backup-missing:
        job: {name: backup, not_run_for: 26h}
        severity: error

Good
    probes:
      backup: {heartbeat: {cron: "0 2 * * mon-fri"}}
    rules:
      backup-missing:
        job: backup
        severity: error
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.routing.match import fits

if TYPE_CHECKING:
    from sentinel.probes.probe import Probe

SEVERITY = Severity.WARNING


def check(context: Context) -> Iterator[Flaw]:
    """Flag a limit that is not longer than the schedule of a job that it is about."""
    for view in context.views.values():
        rule = view.rule
        if rule is None or view.form != "job" or (limits := getattr(rule.form, "not_run_for", None)) is None:
            continue
        least = min(limits.values(), key=lambda limit: limit.value)
        for name, probe in context.probes.items():
            gap = _gap(probe)
            if gap and any(fits(pattern, name) for pattern in rule.form.names) and least.value <= gap.total_seconds():
                says = f"{least} is not longer than the longest gap between two runs of {name} ({format_duration(gap)})"
                fix = "drop not_run_for: the job's own schedule and grace say when it is late"
                yield Flaw(view.at(view.form, "not_run_for"), says, fix)
                break


def _gap(probe: Probe) -> timedelta | None:
    if probe.kind_name != "heartbeat":
        return None
    cron, every = getattr(probe.kind, "cron", None), getattr(probe.kind, "every", None)
    gap: timedelta | None = cron.longest_gap if cron is not None else every
    return gap
