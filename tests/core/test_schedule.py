"""Rates, cron and schedules, over the hours that a clock skips and shows twice."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.hours import parse_schedule
from sentinel.core.localtime import instant_of, zone
from sentinel.core.schedule import Cron, Every

BERLIN = "Europe/Berlin"
FIRST, LAST = datetime(1990, 1, 1), datetime(2060, 1, 1)  # noqa: DTZ001  # hypothesis wants them naive
instants = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
zones = st.sampled_from(
    ["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Casablanca"]
)


def at(text: str) -> datetime:
    """Read an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@given(instants, st.timedeltas(timedelta(milliseconds=1), timedelta(days=40)), st.text(max_size=8))
def test_a_rate_comes_within_one_interval_and_then_exactly_after_it(
    instant: datetime, interval: timedelta, name: str
) -> None:
    """A fixed rate has no drift."""
    every = Every(interval)
    first = every.next_after(instant, name)
    assert instant < first <= instant + interval + timedelta(microseconds=1)
    assert abs(every.next_after(first, name) - first - interval) <= timedelta(microseconds=1)


def test_probes_of_one_rate_are_spread_and_keep_their_place() -> None:
    """The offset is the name's alone."""
    every = Every(timedelta(seconds=30))
    moments = {every.next_after(at("2026-01-01"), f"probe-{number}") for number in range(50)}
    assert len(moments) > 45
    assert every.next_after(at("2026-01-01"), "shop") == every.next_after(at("2026-01-01"), "shop")


@pytest.mark.parametrize(
    ("expression", "timezone", "after", "expected"),
    [
        pytest.param("0 2 * * sun", "UTC", "2026-11-20", ["2026-11-22 02:00"], id="Sunday is Sunday"),
        pytest.param("0 2 * * 0", "UTC", "2026-11-20", ["2026-11-22 02:00"], id="and so is 0"),
        pytest.param("0 2 * * 7", "UTC", "2026-11-20", ["2026-11-22 02:00"], id="and 7"),
        pytest.param("0 0 13 * fri", "UTC", "2026-11-20", ["2026-11-27", "2026-12-04"], id="day or weekday"),
        pytest.param(
            "30 2 * * *",
            BERLIN,
            "2026-03-28 12:00",
            ["2026-03-29 01:00", "2026-03-30 00:30"],
            id="skipped: after the gap",
        ),
        pytest.param(
            "30 2 * * *",
            BERLIN,
            "2026-10-24 12:00",
            ["2026-10-25 00:30", "2026-10-26 01:30"],
            id="shown twice: the first",
        ),
        pytest.param(
            "0 * * * *", BERLIN, "2026-10-24 23:30", ["2026-10-25 00:00", "2026-10-25 02:00"], id="each hour once"
        ),
        pytest.param(
            "*/30 2 * * *", BERLIN, "2026-03-28 12:00", ["2026-03-29 01:00", "2026-03-30 00:00"], id="once after"
        ),
        pytest.param("0 0 29 2 *", "UTC", "2026-01-01", ["2028-02-29"], id="leap day"),
    ],
)
def test_cron_comes_at(expression: str, timezone: str, after: str, expected: list[str]) -> None:
    """On the clock of its zone, each shown time once."""
    found = Cron(expression, timezone).after(at(after))
    assert [next(found) for _ in expected] == [at(text) for text in expected]


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("0 2 * *", "five fields"),
        ("0 0 2 * * *", "five fields"),
        ("@daily", "five fields"),
        ("61 * * * *", "look at its minute"),
        ("0 25 * * *", "look at its hour"),
        ("0 0 30 2 *", "look at its day-of-month"),
        ("0 0 * * xyz", "look at its day-of-week"),
    ],
)
def test_what_is_no_cron_expression_is_refused(expression: str, says: str) -> None:
    """With the field that is wrong."""
    with pytest.raises(ValueError, match=says):
        Cron(expression)


@given(instants, zones, st.sampled_from(["*/5 * * * *", "0 * * * *", "30 2 * * *", "15 1-3 * * 0", "0 0 1 * *"]))
def test_cron_moments_are_later_and_ascend(instant: datetime, timezone: str, expression: str) -> None:
    """Whatever the clocks of the zone do."""
    found = Cron(expression, timezone).after(instant)
    moments = [instant, *(next(found) for _ in range(12))]
    assert all(earlier < later for earlier, later in pairwise(moments))


@given(st.datetimes(FIRST, LAST), zones)
def test_a_local_time_is_the_first_moment_at_which_the_clock_is_there_or_past_it(
    local: datetime, timezone: str
) -> None:
    """One rule for times that exist, that are skipped, and that are shown twice."""
    local = local.replace(microsecond=0)
    moment = instant_of(local, zone(timezone))
    assert moment.astimezone(ZoneInfo(timezone)).replace(tzinfo=None) >= local
    before = (moment - timedelta(seconds=1)).astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    assert before < local or before - local > timedelta(minutes=29)


WORK = {"days": "mon-fri", "from": "09:00", "to": "18:00", "timezone": BERLIN, "except": ["2026-12-25"]}
NIGHT = {"days": "fri", "from": "22:00", "to": "06:00"}
NAMED = {"work": parse_schedule(WORK)}


@pytest.mark.parametrize(
    ("given_as", "instant", "inside", "change"),
    [
        pytest.param(WORK, "2026-11-23 07:59", False, "2026-11-23 08:00", id="before work"),
        pytest.param(WORK, "2026-11-23 08:00", True, "2026-11-23 17:00", id="the first moment is in"),
        pytest.param(WORK, "2026-11-23 17:00", False, "2026-11-24 08:00", id="the last is out"),
        pytest.param(WORK, "2026-11-20 17:00", False, "2026-11-23 08:00", id="over the weekend"),
        pytest.param(WORK, "2026-12-25 10:00", False, "2026-12-28 08:00", id="an excepted day"),
        pytest.param(WORK, "2026-07-01 07:30", True, "2026-07-01 16:00", id="in summer an hour earlier"),
        pytest.param(NIGHT, "2026-11-21 05:59", True, "2026-11-21 06:00", id="past midnight belongs to Friday"),
        pytest.param(NIGHT, "2026-11-20 05:59", False, "2026-11-20 22:00", id="and Thursday's night is none"),
        pytest.param({"days": "sat-mon"}, "2026-11-21 12:00", True, "2026-11-24 00:00", id="days that touch are one"),
        pytest.param({"days": ["mon", "wed"]}, "2026-11-23 12:00", True, "2026-11-24 00:00", id="a list of days"),
        pytest.param({"days": "mon-sun"}, "2026-11-23 12:00", True, None, id="always never changes"),
        pytest.param(
            {"cron": "0 2 * * sun", "lasts": "2h"}, "2026-11-22 03:59", True, "2026-11-22 04:00", id="cron and length"
        ),
        pytest.param(
            {"cron": "30 1 * * *", "lasts": "3h", "timezone": BERLIN},
            "2026-10-25 02:29",
            True,
            "2026-10-25 02:30",
            id="a length is elapsed time",
        ),
        pytest.param(
            {"start": "2026-12-01 20:00", "end": "2026-12-01 23:00"},
            "2026-12-01 12:00",
            False,
            "2026-12-01 20:00",
            id="once",
        ),
        pytest.param(
            {"start": "2026-12-01 20:00", "end": "2026-12-01 23:00"},
            "2026-12-02 12:00",
            False,
            None,
            id="once, and over",
        ),
        pytest.param(
            [NIGHT, {"days": "sat"}], "2026-11-21 03:00", True, "2026-11-22 00:00", id="a list is any of them"
        ),
        pytest.param("work", "2026-11-23 08:00", True, "2026-11-23 17:00", id="by name"),
        pytest.param("!work", "2026-11-23 08:00", False, "2026-11-23 17:00", id="its opposite"),
        pytest.param(
            ["!work", {"days": "mon"}], "2026-11-23 10:00", True, "2026-11-24 08:00", id="an opposite in a list"
        ),
    ],
)
def test_a_schedule_contains(given_as: Any, instant: str, inside: bool, change: str | None) -> None:
    """And knows when it next changes."""
    schedule = parse_schedule(given_as, NAMED)
    assert schedule.contains(at(instant)) is inside
    assert schedule.next_change_after(at(instant)) == (at(change) if change else None)


@pytest.mark.parametrize(
    ("given_as", "says"),
    [
        ({}, "should be a schedule"),
        ([], "should be a schedule"),
        (5, "should be a schedule"),
        ("nights", '"nights" is not a schedule; schedules: work'),
        ("!wrk", 'did you mean "work"'),
        ({"days": "mon-fry"}, "is not a day"),
        ({"from": "9"}, "is not a time of day"),
        ({"from": "09:60"}, "is not a time of day"),
        ({"from": "24:00"}, "should be before 24:00"),
        ({"from": "09:00", "to": "09:00"}, "are the same"),
        ({"days": "mon", "cron": "0 2 * * *", "lasts": "1h"}, '"days" does not belong'),
        ({"cron": "0 2 * * *"}, 'needs "lasts"'),
        ({"cron": "0 2 * * *", "lasts": "1d"}, "does not end before its cron begins anew"),
        ({"cron": "0 2 * * *", "lasts": "5"}, "lasts: "),
        ({"start": "2026-12-01 20:00"}, 'needs both "start" and "end"'),
        ({"start": "2026-12-01 20:00", "end": "2026-12-01 20:00"}, "later than start"),
        ({"start": "tomorrow", "end": "2026-12-01 20:00"}, "is not a date and time"),
        ({"days": "mon", "timezone": "Berlin"}, "is not a time zone"),
        ({"days": "mon", "except": ["25.12."]}, "is not a date"),
        ({"day": "mon"}, '"day" does not belong'),
    ],
)
def test_what_is_no_schedule_is_refused(given_as: Any, says: str) -> None:
    """With the key that is wrong."""
    with pytest.raises(ValueError, match=says):
        parse_schedule(given_as, NAMED)


times = st.times().map(lambda time: time.strftime("%H:%M"))
weekly = st.fixed_dictionaries(
    {"days": st.sampled_from(["mon-fri", "sat", "sun-tue", "mon-sun"]), "from": times, "to": times, "timezone": zones}
).filter(lambda keys: keys["from"] != keys["to"])


@given(weekly, instants)
def test_a_schedule_is_constant_up_to_its_next_change_and_then_the_opposite(
    keys: dict[str, str], instant: datetime
) -> None:
    """Whoever sleeps until the next change misses nothing."""
    schedule = parse_schedule(keys)
    change = schedule.next_change_after(instant)
    inside = schedule.contains(instant)
    if change is None:
        assert inside
        return
    assert change > instant
    assert schedule.contains(change) is not inside
    assert schedule.contains(instant + (change - instant) / 2) is inside
    assert schedule.contains(change - timedelta(microseconds=1)) is inside


@given(weekly, instants)
def test_the_opposite_is_in_exactly_where_the_schedule_is_out(keys: dict[str, str], instant: datetime) -> None:
    """Twice turned is as it was."""
    named = {"it": parse_schedule(keys)}
    assert parse_schedule("!it", named).contains(instant) is not named["it"].contains(instant)
    assert parse_schedule(["!it"], named).contains(instant) is not named["it"].contains(instant)
