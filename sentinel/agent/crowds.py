"""Crowds: of many looks that want to begin at one host together, at a start say, a few begin at a time.

A look gives its seat up when it ends, or after a quarter of a second: what hangs must not hold up the healthy ones
beside it. Hosts know nothing of one another. The time that a look waits here is not counted as its own.
"""

from __future__ import annotations

import asyncio
from weakref import WeakValueDictionary

#: Looks that may be fresh at one host.
SEATS = 16
#: How long a look is fresh.
FRESH_SECONDS = 0.25


class Crowds:
    """The crowd at each host; "" is this machine."""

    def __init__(self) -> None:
        self._seats: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    async def enter(self, host: str) -> Seat:
        """Wait for a seat."""
        seats = self._seats.get(host)
        if seats is None:
            seats = self._seats[host] = asyncio.Semaphore(SEATS)
        await seats.acquire()
        return Seat(seats)


class Seat:
    """One that is taken, until it is left or the look is not fresh any more."""

    def __init__(self, seats: asyncio.Semaphore) -> None:
        self._seats, self._loop = seats, asyncio.get_running_loop()
        self._timer = self._loop.call_later(FRESH_SECONDS, seats.release)

    def leave(self) -> None:
        """Let another have it, if that did not happen yet."""
        if self._timer.when() > self._loop.time():
            self._timer.cancel()
            self._seats.release()
