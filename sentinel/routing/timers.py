"""Timers: what is to be looked at again, and when; a heap in which outdated entries are passed over."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import datetime


class Timers:
    """Names, each with at most one instant."""

    def __init__(self) -> None:
        self._at: dict[str, datetime] = {}
        self._heap: list[tuple[datetime, str]] = []

    def set(self, name: str, at: datetime | None) -> None:
        """Set, move or (with None) stop one timer."""
        if at is None:
            self._at.pop(name, None)
        elif self._at.get(name) != at:
            self._at[name] = at
            heapq.heappush(self._heap, (at, name))

    def due(self, now: datetime) -> list[str]:
        """Return the names whose instant has come, in its order; they stay due until they are set anew."""
        if self.next_at is None or self.next_at > now:
            return []
        found: dict[str, datetime] = {}
        places = [0]
        while places:  # whatever lies below an entry of the heap is later than it
            place = places.pop()
            if place < len(self._heap) and self._heap[place][0] <= now:
                at, name = self._heap[place]
                if self._at.get(name) == at:
                    found[name] = at
                places += [2 * place + 1, 2 * place + 2]
        return sorted(found, key=lambda name: (found[name], name))

    @property
    def next_at(self) -> datetime | None:
        """The earliest instant; None where nothing waits."""
        while self._heap:
            at, name = self._heap[0]
            if self._at.get(name) == at:
                return at
            heapq.heappop(self._heap)
        return None

    def __iter__(self) -> Iterator[tuple[str, datetime]]:
        """Iterate over the names that are set, and their instants."""
        return iter(list(self._at.items()))

    def at(self, name: str) -> datetime | None:
        """Return one timer's instant; None where it is not set."""
        return self._at.get(name)
