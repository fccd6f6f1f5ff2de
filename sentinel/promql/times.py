"""Times and durations as people and the HTTP API give them, beside an expression; in milliseconds from here on."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from sentinel.promql.literal import duration_ms

#: No time lies further away; beyond it seconds as a float lose their milliseconds.
FARTHEST_MS = 2**53

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How Go writes its first and last time, which clients send for "from the beginning" and "to the end".
_BOUNDS = {"-292273086-05-16T16:47:06Z": -FARTHEST_MS, "292277025-08-18T07:12:54.999999999Z": FARTHEST_MS}


def parse_instant(text: str) -> int:
    """Return the Unix milliseconds of `1700000000.5` or `2026-01-01T00:00:00Z`.

    Raises:
        ValueError: it is neither.
    """
    if text in _BOUNDS:
        return _BOUNDS[text]
    if _NUMBER.fullmatch(text):
        if abs(ms := float(text) * 1000) <= FARTHEST_MS:
            return math.floor(ms + 0.5)
        raise ValueError(f'cannot parse "{text}" to a valid timestamp. It overflows')
    if _RFC3339.fullmatch(text):
        try:
            return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
        except ValueError:
            pass  # the 30th of February
    raise ValueError(f'cannot parse "{text}" to a valid timestamp')


def parse_duration(text: str) -> int:
    """Return the milliseconds of `15`, `0.5` (seconds) or `1h30m`.

    Raises:
        ValueError: it is neither.
    """
    if _NUMBER.fullmatch(text):
        if abs(ms := float(text) * 1000) <= FARTHEST_MS:
            return round(ms)
        raise ValueError(f'cannot parse "{text}" to a valid duration. It overflows')
    try:
        if re.fullmatch(r"(\d+(ms|[smhdwy]))+", text, re.ASCII):
            return duration_ms(text)
    except ValueError:
        pass  # units out of order
    raise ValueError(f'cannot parse "{text}" to a valid duration')
