"""group/interval: a group should be evaluated at least as often as a series is remembered.

Why
    A value counts for 5 minutes. What a group records less often has gaps, and what reads it falls silent in them; and
    an interval of 0s is not "at once": Prometheus takes its default instead.

Bad
    groups:
    - name: slow
      interval: 10m
      rules:
      - {record: "job:up:sum", expr: sum by (job) (up)}

Bad too
    interval: 0s

Good
    groups:
    - name: slow
      interval: 4m
      rules:
      - {record: "job:up:sum", expr: sum by (job) (up)}
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import GroupView

SEVERITY = Severity.WARNING

_REMEMBERED = timedelta(minutes=5)
_NAUGHT = ("0", "0s", "0m", "0ms", "0h")


def check(group: GroupView) -> Iterator[Flaw]:
    """Flag an interval of nothing, and one longer than a value counts where something is recorded or held."""
    written = group.node.values.get("interval")
    if written is None:
        return
    if getattr(written, "text", "") in _NAUGHT:
        yield Flaw(written, "an interval of nothing is taken for the default", "drop it, or write how often")
    elif group.interval > _REMEMBERED:
        says = f"{format_duration(group.interval)} is longer than a value counts (5m): there are gaps between"
        yield Flaw(written, says, "use 5m or less")
