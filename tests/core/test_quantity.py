"""Durations and quantities: what people write is what is meant, and is written back so that they know it again."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sentinel.core.quantity import (
    Quantity,
    Unit,
    format_duration,
    format_value,
    parse_duration,
    parse_quantity,
    unit_of_metric,
)

durations = st.timedeltas(min_value=timedelta(), max_value=timedelta(days=36_500))


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("15m", 900),
        ("1h30m", 5400),
        ("7d", 604_800),
        ("1w", 604_800),
        ("1w2d3h4m5s6ms", 604_800 + 2 * 86_400 + 3 * 3600 + 4 * 60 + 5.006),
        ("50ms", 0.05),
        ("250us", 0.00025),
        ("1.5h", 5400),
        (".5s", 0.5),
        ("0", 0),
        ("0s", 0),
        (" 10s ", 10),
    ],
)
def test_a_duration_is_read(text: str, seconds: float) -> None:
    """Numbers with units, the greatest first."""
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("5", "has no unit; write 5s, 5m or 5h"),
        ("", "a duration is missing"),
        ("-5m", "is negative"),
        ("5 minutes", "write 5m"),
        ("2 hours", "write 2h"),
        ("10sec", "write 10s"),
        ("1m1h", "the greatest first"),
        ("1m2m", "each unit once"),
        ("5x", "is not a duration"),
        ("1h 30m", "is not a duration"),
        ("40000d", "longer than a hundred years"),
        ("5M", "is not a duration"),
    ],
)
def test_what_is_no_duration_is_said_with_what_would_be(text: str, says: str) -> None:
    """The error proposes."""
    with pytest.raises(ValueError, match=says):
        parse_duration(text)


@given(durations)
def test_a_duration_written_and_read_again_is_the_same(duration: timedelta) -> None:
    """Writing loses nothing."""
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("5%", 0.05, Unit.RATIO),
        ("99.9%", 0.999, Unit.RATIO),
        ("-50%", -0.5, Unit.RATIO),
        ("50ms", 0.05, Unit.SECONDS),
        ("15m", 900, Unit.SECONDS),
        ("-1h30m", -5400, Unit.SECONDS),
        ("1.5GB", 1.5e9, Unit.BYTES),
        ("2GiB", 2 * 2**30, Unit.BYTES),
        ("512B", 512, Unit.BYTES),
        ("1.5k", 1500, Unit.NUMBER),
        ("3M", 3e6, Unit.NUMBER),
        ("200", 200, Unit.NUMBER),
        ("-4", -4, Unit.NUMBER),
        ("1e3", 1000, Unit.NUMBER),
        ("0", 0, Unit.NUMBER),
        ("10/s", 10, Unit.PER_SECOND),
        ("8000/min", 8000 / 60, Unit.PER_SECOND),
        ("2MB/s", 2e6, Unit.PER_SECOND),
        ("86400/d", 1, Unit.PER_SECOND),
    ],
)
def test_a_quantity_is_read_in_base_units(text: str, value: float, unit: Unit) -> None:
    """`m` is minutes, `M` is a million."""
    found = parse_quantity(text)
    assert found.value == pytest.approx(value)
    assert (found.unit, found.text) == (unit, text)


@pytest.mark.parametrize(
    "text", ["", "x", "5Q", "5/x", "5x/s", "%", "1h%", "--5", "1,000", "nan", "inf", "5 %%", "1e999"]
)
def test_what_is_no_quantity_is_refused(text: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(ValueError, match=r"write|too large"):
        parse_quantity(text)


@given(st.text(max_size=20))
def test_any_text_is_a_quantity_or_a_clear_error(text: str) -> None:
    """Reading never fails in another way."""
    for read in (parse_quantity, parse_duration):
        with suppress(ValueError):
            read(text)


@pytest.mark.parametrize(
    ("value", "unit", "like", "written"),
    [
        (0.062, Unit.RATIO, "5%", "6.2%"),
        (0.0503, Unit.RATIO, "5%", "5.03%"),
        (0.050004, Unit.RATIO, "5%", "5.0004%"),
        (0.063, Unit.SECONDS, "50ms", "63 ms"),
        (1.4e9, Unit.BYTES, "1.5GB", "1.4 GB"),
        (135.0, Unit.PER_SECOND, "8000/min", "8,100/min"),
        (1234.0, Unit.NUMBER, "1000", "1,234"),
        (1080.0, Unit.SECONDS, "15m", "18 min"),
        (0.062, Unit.RATIO, "", "6.2%"),
        (0.0000042, Unit.SECONDS, "", "4.2 us"),
        (7260.0, Unit.SECONDS, "", "2.02 h"),
        (0.0, Unit.NUMBER, "", "0"),
        (float("nan"), Unit.NUMBER, "", "not a number"),
        (float("inf"), Unit.SECONDS, "5s", "infinity"),
    ],
)
def test_a_value_is_written_like_its_threshold(value: float, unit: Unit, like: str, written: str) -> None:
    """In the threshold's unit, with digits enough to differ from it."""
    assert format_value(value, unit, like) == written


@pytest.mark.parametrize(
    ("text", "shown"),
    [("8000/min", "8,000/min"), ("1234567.89012", "1,234,567.89012"), ("-1500ms", "-1,500ms"), ("0.00001", "0.00001")],
)
def test_a_threshold_is_shown_as_the_value_beside_it_is(text: str, shown: str) -> None:
    """Thousands are parted in both; all else stands as it was written."""
    assert parse_quantity(text).shown == shown


@given(st.floats(0.001, 1e6), st.sampled_from(["5%", "50ms", "1.5GB", "8000/min", "200", "15m"]))
def test_a_value_beyond_its_threshold_never_looks_equal_to_it(share: float, like: str) -> None:
    """6 ‰ beyond or ten times: people see that it is."""
    limit = parse_quantity(like)
    value = limit.value * (1 + share)
    assume(value != limit.value)
    assert format_value(value, limit.unit, like) != format_value(limit.value, limit.unit, like)


@pytest.mark.parametrize(
    ("metric", "text", "value"),
    [("cpu_percent", "80%", 80), ("tick_ms", "50ms", 50), ("tick_seconds", "50ms", 0.05), ("queue_depth", "5", 5)],
)
def test_a_threshold_is_converted_to_the_unit_in_the_metrics_name(metric: str, text: str, value: float) -> None:
    """`80%` of `cpu_percent` is 80."""
    assert parse_quantity(text).for_metric(metric) == pytest.approx(value)


def test_a_unit_that_the_metric_does_not_count_is_refused() -> None:
    """Seconds are no share."""
    with pytest.raises(ValueError, match='"5%" counts ratio, tick_seconds seconds'):
        parse_quantity("5%").for_metric("tick_seconds")


def test_counted_endings_are_looked_behind() -> None:
    """A counter of seconds counts seconds."""
    assert unit_of_metric("busy_seconds_total") == (Unit.SECONDS, 1.0)


def test_a_quantity_shows_as_it_was_written() -> None:
    """Messages quote the author."""
    assert str(Quantity(0.05, Unit.RATIO, "5%")) == "5%"
