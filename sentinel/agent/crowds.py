"""Crowds: of many looks that want to begin at one host together, at a start say, a few begin at a time.

A look gives its seat up when it ends, or after a quarter of a second: what hangs must not hold up the healthy ones
beside it. Hosts know nothing of one another. The time that a look waits here is not counted as its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

#: Looks that may be fresh at one host.
SEATS = 16
#: How long a look is fresh.
FRESH_SECONDS = 0.25


class Crowds:
    """The crowd at each host; "" is this machine."""

    def __init__(self) -> None:
        self._seats: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def at(self, host: str) -> AsyncIterator[None]:
        """Wait for a seat, and give it up at the end, or when the look is not fresh any more."""
        seats = self._seats.get(host)
        if seats is None:
            seats = self._seats[host] = asyncio.Semaphore(SEATS)
        await seats.acquire()
        loop = asyncio.get_running_loop()
        timer = loop.call_later(FRESH_SECONDS, seats.release)
        try:
            yield
        finally:
            if timer.when() > loop.time():
                timer.cancel()
                seats.release()
