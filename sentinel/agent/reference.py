"""Blindness: an agent that reaches none of its reference addresses either sees nothing, and its targets are excused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta

from sentinel.core.address import Address
from sentinel.core.clock import Clock

#: How long an answer holds; a broken network makes every probe ask at once.
_FRESH = timedelta(seconds=5)
_TIMEOUT_SECONDS = 2.0
#: Failures that a network without a way out can cause.
NETWORK_REASONS = frozenset({"dns", "connect", "timeout"})


class Reference:
    """Addresses that are there whenever the network is; with none the agent is never blind."""

    def __init__(self, addresses: Sequence[str], clock: Clock) -> None:
        self._addresses = [Address.parse(address) for address in addresses]
        self._clock = clock
        self._asking = asyncio.Lock()
        self._asked_at = float("-inf")
        self.blind = False

    async def is_blind(self) -> bool:
        """Say whether nothing can be reached; an answer holds for some seconds."""
        if not self._addresses:
            return False
        async with self._asking:
            if self._clock.monotonic() - self._asked_at > _FRESH.total_seconds():
                answers = await asyncio.gather(*map(_reachable, self._addresses))
                self.blind = not any(answers)
                self._asked_at = self._clock.monotonic()
        return self.blind


async def _reachable(address: Address) -> bool:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    return True
