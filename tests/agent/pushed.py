"""A loop whose time is a clock that is pushed: whenever it would wait, time has passed. An hour takes a millisecond."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from sentinel.core.clock import ManualClock

T = TypeVar("T")


class _Selector(selectors.DefaultSelector):
    """Waits by pushing the clock."""

    clock: ManualClock

    def select(self, timeout: float | None = None) -> list[Any]:
        """Return what is ready; if nothing is, that time has passed."""
        ready = super().select(0)
        if not ready and timeout:
            self.clock.advance(timedelta(seconds=timeout) + timedelta(microseconds=1))
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: ManualClock) -> None:
        selector = _Selector()
        selector.clock = self._clock = clock
        super().__init__(selector)

    def time(self) -> float:
        return self._clock.monotonic()


def run_pushed(work: Coroutine[Any, Any, T], clock: ManualClock) -> T:
    """Run this on such a loop."""
    with asyncio.Runner(loop_factory=lambda: _Loop(clock)) as runner:
        return runner.run(work)
