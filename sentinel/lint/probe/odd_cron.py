"""probe/odd-cron: a cron expression should say what it looks as if it said.

Why
    `*/60` is minute 0, and so once an hour; `* 2 * * *` is each of the sixty minutes from two to three; and of a day of
    the month and a day of the week either will do: `0 2 1-7 * mon` runs on every Monday and on the first seven days.

Bad
    probes:
      shop: {http: https://shop.example.com/health, cron: "*/90 * * * *"}

Bad too
    probes:
      backup: {heartbeat: {cron: "* 2 * * *"}}
    rules:
      backup-late: {job: backup, severity: error}

Good
    probes:
      shop: {http: https://shop.example.com/health, every: 90m}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.schedule import Cron
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: How many there are of each field, and what they are.
_FIELDS = ((60, "minutes", "m"), (24, "hours", "h"))


def check(context: Context) -> Iterator[Flaw]:
    """Flag steps beyond their field, every minute of single hours, and days that are named in two ways."""
    for name, probe in context.probes.items():
        own = getattr(probe.kind, "cron", None)
        cron = own if isinstance(own, Cron) else probe.every
        if isinstance(cron, Cron) and (odd := _odd(cron.expression)):
            path = (probe.kind_name, "cron") if isinstance(own, Cron) else ("cron",)
            yield Flaw(context.at("probes", name, *path), *odd)


def _odd(expression: str) -> tuple[str, str] | None:
    minute, hour, day, _, weekday = expression.split()
    for field, (count, what, unit) in zip((minute, hour), _FIELDS, strict=True):
        if (step := re.fullmatch(r"\*/(\d+)", field)) and int(step[1]) >= count:
            return f"{field} comes true at 0 only: there are {count} {what}", f"write every: {step[1]}{unit}"
    if minute == "*" and hour.isdigit():
        return f"it comes true at each minute from {hour}:00 to {hour}:59", f"for once a day write 0 {hour} {day} …"
    if day not in ("*", "?") and weekday not in ("*", "?"):
        says = "either of the two days will do: the day of the month, or the day of the week"
        return says, "write * for one of them"
    return None
