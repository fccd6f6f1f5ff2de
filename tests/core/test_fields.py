"""Fields: text becomes a value by its key."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from sentinel.core.fields import (
    AnyValue,
    CronExpression,
    Duration,
    LabelMap,
    MetricName,
    Model,
    Pattern,
    Plain,
    Port,
    PositiveDuration,
    Quantity,
    Ratio,
    ScheduleValue,
    SeverityName,
    resolve,
)
from sentinel.core.hours import parse_schedule
from sentinel.core.severity import Severity


class Everything(Model):
    """One field of each type."""

    SHORT: ClassVar[str | None] = "text"

    text: str = ""
    duration: Duration = timedelta()
    positive: PositiveDuration = timedelta(seconds=1)
    port: Port = 80
    pattern: Pattern = ""
    ratio: Ratio = 0.0
    severity: SeverityName = Severity.INFO
    cron: CronExpression | None = None
    schedule: ScheduleValue | None = None
    quantity: Quantity | None = None
    labels: LabelMap = Field(default_factory=dict)
    metric: MetricName = "x"
    json_value: AnyValue = None


@pytest.mark.parametrize(
    ("key", "given", "expected"),
    [
        ("duration", "15m", timedelta(minutes=15)),
        ("port", "8080", 8080),
        ("ratio", "99.9%", 0.999),
        ("ratio", "0.5", 0.5),
        ("severity", "critical", Severity.CRITICAL),
        ("text", Plain("NO"), "NO"),
        ("text", Plain("0755"), "0755"),
        ("text", Plain("3.10"), "3.10"),
        ("labels", {"env": Plain("on")}, {"env": "on"}),
        ("json_value", {"n": Plain("5"), "t": "5"}, {"n": 5, "t": "5"}),
    ],
)
def test_a_text_is_typed_by_its_key(key: str, given: Any, expected: Any) -> None:
    """What is written is what is meant."""
    assert getattr(Everything.model_validate({key: given}), key) == expected


@pytest.mark.parametrize(
    ("key", "given"),
    [
        ("duration", "5"),
        ("duration", ["5m"]),
        ("positive", "0s"),
        ("port", "0"),
        ("port", "65536"),
        ("pattern", "(a"),
        ("ratio", "120%"),
        ("severity", "page"),
        ("cron", "* * *"),
        ("schedule", "nights"),
        ("quantity", "5Q"),
        ("labels", {"a-b": "c"}),
        ("metric", "a b"),
        ("unknown", "x"),
    ],
)
def test_what_does_not_fit_is_refused(key: str, given: Any) -> None:
    """And a model never holds half of it."""
    with pytest.raises(ValidationError):
        Everything.model_validate({key: given})


def test_one_word_fills_the_field_that_the_kind_names() -> None:
    """`http: https://x` stands for `http: {url: https://x}`."""
    assert Everything.model_validate("word").text == "word"


def test_a_schedule_may_be_named() -> None:
    """The validation's context knows the names."""
    named = {"nights": parse_schedule({"from": "22:00", "to": "06:00"})}
    found = Everything.model_validate({"schedule": "nights"}, context={"schedules": named})
    assert found.schedule is named["nights"]


@pytest.mark.parametrize(
    ("plain", "value"),
    [
        ("null", None),
        ("~", None),
        ("", None),
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("12", 12),
        ("-7", -7),
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ("22:00", "22:00"),
        ("2026-12-01", "2026-12-01"),
        ("1_000", "1_000"),
    ],
)
def test_free_form_values_follow_the_core_schema_of_yaml_1_2(plain: str, value: Any) -> None:
    """Times, dates, yes and on are text; a quoted scalar always is."""
    assert resolve(Plain(plain)) == value
    assert type(resolve(Plain(plain))) is type(value)
    assert resolve(plain) == plain
