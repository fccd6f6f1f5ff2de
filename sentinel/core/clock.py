"""The only place that asks the machine what time it is."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What time it is: `now` decides, `monotonic` schedules."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the instant, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds on a clock that never jumps."""
        return time.monotonic()


class ManualClock:
    """A clock that goes only when it is pushed: tests and rehearsal live by it."""

    def __init__(self, now: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._began = self._now = now

    def now(self) -> datetime:
        """Return the instant it was pushed to."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds it was pushed by."""
        return (self._now - self._began).total_seconds()

    def advance(self, by: timedelta) -> datetime:
        """Push it on and return the new instant."""
        self._now += by
        return self._now

    def leap(self, by: timedelta) -> datetime:
        """Set it, as somebody sets a wall clock: no time passes. Return what it says now."""
        self._began += by
        return self.advance(by)


def to_ms(instant: datetime) -> int:
    """Return Unix milliseconds, rounded to the nearest."""
    return round(instant.timestamp() * 1000)


def from_ms(ms: int) -> datetime:
    """Return the aware UTC instant of these Unix milliseconds."""
    return datetime.fromtimestamp(ms / 1000, UTC)
