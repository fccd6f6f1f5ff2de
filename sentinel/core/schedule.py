"""When: at a fixed rate (`Every`), by cron (`Cron`), and the hours of a calendar (`Schedule`).

For each of them a local time that the clock skips is the moment after the gap, and one that it shows twice counts
once, the first time; lengths are elapsed time.
"""

from __future__ import annotations

import hashlib
import heapq
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import islice, pairwise, takewhile
from typing import TypeVar

from cronsim import CronSim, CronSimError

from sentinel.core.localtime import instant_of, local_of, zone
from sentinel.core.quantity import format_duration

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: How far a schedule is searched for its next change, in time and in stretches.
_HORIZON = timedelta(days=5 * 366)
_MOST_SPANS = 4_000


@dataclass(frozen=True, slots=True)
class Every:
    """At a fixed rate, with an offset that depends on the name alone, so that a restart moves nothing."""

    interval: timedelta

    def next_after(self, instant: datetime, name: str = "") -> datetime:
        """Return the first moment of this rate that is later than the instant."""
        offset = timedelta(seconds=self._share(name) * self.interval.total_seconds())
        passed = (instant - _EPOCH - offset) // self.interval
        return _EPOCH + offset + (passed + 1) * self.interval

    @staticmethod
    @lru_cache(maxsize=16_384)
    def _share(name: str) -> float:
        """Return a number from 0 up to 1 that is always the same for a name."""
        if not name:
            return 0.0
        return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big") / 2**32

    def __str__(self) -> str:
        return format_duration(self.interval)


@dataclass(frozen=True, slots=True)
class Cron:
    """At the minutes that a cron expression of five fields names, on the clock of a time zone.

    Raises:
        ValueError: the expression is none, or never comes true.
    """

    expression: str
    timezone: str = "UTC"

    def __post_init__(self) -> None:
        zone(self.timezone)
        if len(self.expression.split()) != 5:
            raise ValueError(
                f'"{self.expression}" is not a cron expression: five fields (minute hour day month weekday), '
                'such as "*/10 * * * *" or "0 2 * * sun"'
            )
        try:
            found = next(CronSim(self.expression, datetime(2024, 1, 1)), None)  # noqa: DTZ001  # local and naive
        except CronSimError as exc:
            field = str(exc).removeprefix("Bad ")
            raise ValueError(f'"{self.expression}" is not a cron expression: look at its {field}') from None
        if found is None:
            raise ValueError(f'"{self.expression}" never comes true')

    def within(self, timezone: str) -> Cron:
        """Return the same expression on the clock of another time zone."""
        return replace(self, timezone=timezone)

    def next_after(self, instant: datetime, name: str = "") -> datetime:
        """Return the first moment that is later than the instant, in UTC; the name plays no part here."""
        return next(self.after(instant))

    def after(self, instant: datetime) -> Iterator[datetime]:
        """Iterate over all moments that are later than the instant, in UTC."""
        timezone = zone(self.timezone)
        # An hour shown twice and the gap of a skipped one: begin well before, and drop what is not later.
        begin = local_of(instant, timezone) - timedelta(hours=3)
        last = instant
        for local in CronSim(self.expression, begin):
            moment = instant_of(local, timezone)
            if moment > last:
                yield moment
                last = moment

    @property
    def longest_gap(self) -> timedelta:
        """Return the longest time between two of the next hundred moments: what "interval" means for a cron."""
        return _longest_gap(self.expression)

    def __str__(self) -> str:
        return self.expression


@lru_cache(maxsize=1024)
def _longest_gap(expression: str) -> timedelta:
    moments = [moment for moment, _ in zip(CronSim(expression, datetime(2024, 1, 1)), range(100), strict=False)]  # noqa: DTZ001  # local and naive
    return max((later - earlier for earlier, later in pairwise(moments)), default=timedelta(days=366))


class Schedule(ABC):
    """Hours that are in, and hours that are out."""

    @abstractmethod
    def spans_from(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Iterate over the stretches of time that are in and not over at the instant, by their begin."""

    def contains(self, instant: datetime) -> bool:
        """Say whether the instant is in."""
        return any(begin <= instant for begin, _ in islice(self.spans_from(instant), 1))

    def began_at(self, instant: datetime, within: timedelta) -> datetime | None:
        """Return when the stretch that an instant is in began, looked for so far back; None where it is out."""
        for begin, end in self._whole_spans(instant - within):
            if begin > instant:
                return None
            if instant < end:
                return begin
        return None

    def next_change_after(self, instant: datetime) -> datetime | None:
        """Return when it next goes from in to out or from out to in; None if that is years away or never."""
        for begin, end in self._whole_spans(instant):
            change = begin if begin > instant else end
            return change if change <= instant + _HORIZON else None
        return None

    def _whole_spans(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Join stretches that touch or overlap."""
        open_begin: datetime | None = None
        open_end = instant
        for begin, end in self._near_spans(instant):
            if open_begin is not None and begin > open_end:
                yield open_begin, open_end
                open_begin = None
            if open_begin is None:
                open_begin, open_end = begin, end
            open_end = max(open_end, end)
        if open_begin is not None:
            yield open_begin, open_end

    def _near_spans(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        spans = takewhile(lambda span: span[0] <= instant + _HORIZON, self.spans_from(instant))
        return islice(spans, _MOST_SPANS)


@dataclass(frozen=True, slots=True)
class Weekly(Schedule):
    """The same hours on some days of each week; hours that cross midnight belong to the day on which they begin."""

    days: frozenset[int]
    begin: time
    end: timedelta
    excepted: frozenset[date]
    timezone: str

    def spans_from(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Iterate over the hours of each day, from two days before the instant on."""
        timezone = zone(self.timezone)
        day = local_of(instant, timezone).date() - timedelta(days=2)
        while day.year < 9990:
            if day.weekday() in self.days and day not in self.excepted:
                midnight = datetime.combine(day, time())
                begin = instant_of(datetime.combine(day, self.begin), timezone)
                end = instant_of(midnight + self.end, timezone)
                if end > instant and end > begin:
                    yield begin, end
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Recurring(Schedule):
    """From each moment of a cron expression on, for so long."""

    cron: Cron
    lasts: timedelta

    def spans_from(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Iterate over the stretches that begin with the cron."""
        for begin in self.cron.after(instant - self.lasts):
            yield begin, begin + self.lasts


@dataclass(frozen=True, slots=True)
class Once(Schedule):
    """From one moment to another."""

    begin: datetime
    end: datetime

    def spans_from(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the one stretch, unless it is over."""
        if self.end > instant:
            yield self.begin, self.end


@dataclass(frozen=True, slots=True)
class AnyOf(Schedule):
    """In whenever one of several is."""

    parts: tuple[Schedule, ...]

    def spans_from(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Merge the stretches of all parts; they may overlap."""
        return heapq.merge(*(part.spans_from(instant) for part in self.parts))


@dataclass(frozen=True, slots=True)
class Opposite(Schedule):
    """In whenever another is out."""

    other: Schedule

    def contains(self, instant: datetime) -> bool:
        """Say whether the other is out."""
        return not self.other.contains(instant)

    def next_change_after(self, instant: datetime) -> datetime | None:
        """Return when the other changes."""
        return self.other.next_change_after(instant)

    def spans_from(self, instant: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Iterate over what lies between the other's stretches."""
        begin = _EPOCH
        for out_begin, out_end in self.other._whole_spans(instant):
            if out_begin > instant:
                yield begin, out_begin
            begin = out_end
        yield begin, instant + 2 * _HORIZON
