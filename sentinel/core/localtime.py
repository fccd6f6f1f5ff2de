"""Local times as instants: one that the clock skips is the moment after the gap, one shown twice is the first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=256)
def zone(name: str) -> tzinfo:
    """Return a time zone by its name in the IANA database.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (OSError, ValueError):  # ZoneInfoNotFoundError is a KeyError; a folder's name is an OSError
        raise ValueError(_no_zone(name)) from None
    except KeyError:
        raise ValueError(_no_zone(name)) from None


def _no_zone(name: str) -> str:
    return f'"{name}" is not a time zone; write one such as UTC, Europe/Berlin, America/New_York'


def instant_of(local: datetime, timezone: tzinfo) -> datetime:
    """Return the UTC instant at which a clock in the zone first shows this naive local time, or skips it."""
    first = local.replace(tzinfo=timezone, fold=0).astimezone(UTC)
    if first.astimezone(timezone).replace(tzinfo=None) == local:
        return first
    return _end_of_gap(first, timezone)


def _end_of_gap(after: datetime, timezone: tzinfo) -> datetime:
    """Return the moment at which the clock jumped; a skipped time, read with the offset before it, lies behind that."""
    low, high = after - timedelta(days=1), after
    before = low.astimezone(timezone).utcoffset()
    while high - low > timedelta(seconds=1):
        middle = (low + (high - low) / 2).replace(microsecond=0)
        if middle <= low:
            break
        if middle.astimezone(timezone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def local_of(instant: datetime, timezone: tzinfo) -> datetime:
    """Return what a clock in the zone shows at this instant, naive."""
    return instant.astimezone(timezone).replace(tzinfo=None)
