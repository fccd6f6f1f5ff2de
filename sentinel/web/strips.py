"""Strips: a probe's last hour as bars, one a minute: colour says how it was, height how slow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sentinel.core.clock import from_ms, to_ms
from sentinel.core.labels import Matcher, MatchOp
from sentinel.core.windows import Source, Windows
from sentinel.web.words import seconds

_MINUTE_MS = 60_000
_BARS = 60
_TALLEST, _SHORTEST = 24, 7


@dataclass(frozen=True, slots=True)
class Bar:
    """One minute.

    Args:
        tone: `good`, `bad`, `warn` (some of both), or `none`.
        height: of at most 24.
        title: in words.
    """

    tone: str
    height: int
    title: str


def strips(source: Source, now: datetime) -> dict[str, list[Bar]]:
    """Return the last hour of every probe, by its name, oldest minute first."""
    last = to_ms(now + timedelta(minutes=1)) // _MINUTE_MS * _MINUTE_MS
    ends = last - np.arange(_BARS - 1, -1, -1, dtype=np.int64) * _MINUTE_MS
    success = source.windows([_named("probe_success")], ends, _MINUTE_MS)
    duration = source.windows([_named("probe_duration_seconds")], ends, _MINUTE_MS)
    slow = {labels.get("probe"): row for row, labels in enumerate(duration.labels)}
    found: dict[str, list[Bar]] = {}
    for row, labels in enumerate(success.labels):
        probe = labels.get("probe")
        times = _means(duration, slow[probe]) if probe in slow else [None] * _BARS
        worst = max((took for took in times if took is not None), default=0.0)
        found[probe] = [
            _bar(_values(success, row, minute), times[minute], worst, from_ms(int(end) - _MINUTE_MS))
            for minute, end in enumerate(ends)
        ]
    return found


def blank() -> list[Bar]:
    """Return an hour of which nothing is known."""
    return [Bar("none", 3, "no looks")] * _BARS


def _named(name: str) -> Matcher:
    return Matcher("__name__", MatchOp.EQUAL, name)


def _values(windows: Windows, row: int, minute: int) -> list[float]:
    values = windows.v[windows.lo[row, minute] : windows.hi[row, minute]]
    return [float(value) for value in values[~np.isnan(values)]]


def _means(windows: Windows, row: int) -> list[float | None]:
    looks = (_values(windows, row, minute) for minute in range(_BARS))
    return [sum(values) / len(values) if values else None for values in looks]


def _bar(looks: list[float], took: float | None, worst: float, began: datetime) -> Bar:
    if not looks:
        return Bar("none", 3, f"{began:%H:%M} no looks")
    failed = sum(1 for look in looks if look < 1)
    tone = "good" if not failed else "bad" if failed == len(looks) else "warn"
    share = (took or 0.0) / worst if worst else 1.0
    words = f"{failed} of {len(looks)} looks failed" if failed else f"{len(looks)} well"
    spent = f", {seconds(took)}" if took is not None else ""
    return Bar(tone, round(_SHORTEST + (_TALLEST - _SHORTEST) * share), f"{began:%H:%M} {words}{spent}")
