"""rate_limit: how many messages a notifier may send in a length of time; what is over it is told in one digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta

_PERIODS = {"s": timedelta(seconds=1), "min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_RATE = re.compile(r"\s*(\d{1,9})\s*/\s*([a-z]+)\s*")


@dataclass(frozen=True, slots=True)
class Rate:
    """So many in any stretch of so long."""

    count: int
    per: timedelta

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Read `20/min`.

        Raises:
            ValueError: it is no rate of whole messages; the text says what would be.
        """
        found = _RATE.fullmatch(text)
        if not found or found[2] not in _PERIODS:
            raise ValueError(f'"{text}" is not a number of messages in a time; write 1/s, 20/min, 100/h or 500/d')
        if not int(found[1]):
            raise ValueError(f'"{text}" would let nothing through; to tell nobody, leave it out of every route')
        return cls(int(found[1]), _PERIODS[found[2]])

    def __str__(self) -> str:
        unit = next(unit for unit, period in _PERIODS.items() if period == self.per)
        return f"{self.count}/{unit}"
