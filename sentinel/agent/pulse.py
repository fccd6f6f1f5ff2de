"""The pulse: shows that the loop turns, and notices when the machine slept or its clock was set."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Protocol

import structlog

from sentinel.agent.leaps import JUMP
from sentinel.core.clock import Clock

log = structlog.get_logger()

_BEAT_SECONDS = 1.0
#: No beat for so long: the loop hangs.
_LOST_SECONDS = 30.0


class Jumped(Protocol):
    """What is to be done about a jump."""

    async def __call__(self) -> None:
        """Answer it."""
        ...


class Pulse:
    """Beats once a second."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._beat_at = clock.monotonic()

    @property
    def steady(self) -> bool:
        """Whether it beat lately."""
        return self._clock.monotonic() - self._beat_at < _LOST_SECONDS

    async def beat(self, jumped: Jumped) -> None:
        """Beat until cancelled.

        The wall clock goes on while a machine is suspended, the monotonic one does not.
        """
        wall, self._beat_at = self._clock.now(), self._clock.monotonic()
        while True:
            await asyncio.sleep(_BEAT_SECONDS)
            now, monotonic = self._clock.now(), self._clock.monotonic()
            leap = (now - wall) - timedelta(seconds=monotonic - self._beat_at)
            wall, self._beat_at = now, monotonic
            if abs(leap) > JUMP:
                log.warning("the clock leapt", seconds=round(leap.total_seconds()))
                await jumped()
