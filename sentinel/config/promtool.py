"""promtool: the files that `promtool test rules` reads, as they are. Nothing in them is substituted."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import Field, PlainValidator, WithJsonSchema, model_validator

from sentinel.config.findings import Findings
from sentinel.config.read import Found, Reader, position_at, problem_at
from sentinel.config.series import PromQL, SeriesName, SeriesValues, labels_of
from sentinel.config.substitute import Substitution
from sentinel.config.tree import MappingNode
from sentinel.core.fields import Model
from sentinel.core.problem import Position, Problem
from sentinel.promql.literal import duration_ms

#: What promtool evaluates rules by that says no interval.
INTERVAL = timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DURATION = re.compile(r"0|(\d+(ms|[smhdwy]))+")
_NUMBER = re.compile(r"[-+]?(\.\d+|\d[\d_]*(\.[\d_]*)?)([eE][-+]?\d+)?")
_WORDS = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}


def _duration(given: Any) -> timedelta:
    if isinstance(given, timedelta):
        return given
    if not isinstance(given, str) or not _DURATION.fullmatch(given):
        raise ValueError("should be a duration such as 30s, 5m, 1h30m")
    return timedelta() if given == "0" else timedelta(milliseconds=duration_ms(given))


def _number(given: Any) -> float:
    if isinstance(given, float):
        return given
    if isinstance(given, str) and given.lower() in _WORDS:
        return float(_WORDS[given.lower()])
    if not isinstance(given, str) or not _NUMBER.fullmatch(given):
        raise ValueError("should be a number")
    return float(given.replace("_", ""))


def _moment(given: Any) -> datetime:
    if isinstance(given, datetime):
        return given
    try:
        text = str(given)
        return _EPOCH + timedelta(seconds=int(text)) if text.isdigit() else datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("should be Unix seconds, or a time such as 2026-12-01T20:00:00Z") from None


def _sample(given: Any) -> str:
    if str(given).replace(" ", "") in ("", "{}"):
        return "{}"
    labels_of(str(given))
    return str(given)


_TEXT = WithJsonSchema({"type": "string"})
Span = Annotated[timedelta, PlainValidator(_duration), _TEXT]
Number = Annotated[float, PlainValidator(_number), WithJsonSchema({"type": "number"})]


class Alert(Model):
    """An alert that is expected to fire."""

    exp_labels: dict[str, str] = Field(default_factory=dict)
    exp_annotations: dict[str, str] = Field(default_factory=dict)


class AlertTest(Model):
    """The alerts of one name that fire at an instant, all of them."""

    eval_time: Span = timedelta()
    alertname: str
    exp_alerts: tuple[Alert, ...] = ()


class Sample(Model):
    """A sample that a query is expected to return."""

    labels: Annotated[str, PlainValidator(_sample), _TEXT] = "{}"
    value: Number = 0.0


class QueryTest(Model):
    """What a query returns at an instant."""

    expr: PromQL
    eval_time: Span = timedelta()
    exp_samples: tuple[Sample, ...] = ()


class InputSeries(Model):
    """A series, and its values from the start on."""

    series: SeriesName
    values: SeriesValues = ""


class Group(Model):
    """One test."""

    name: str = ""
    interval: Span | None = None
    input_series: tuple[InputSeries, ...] = ()
    alert_rule_test: tuple[AlertTest, ...] = ()
    promql_expr_test: tuple[QueryTest, ...] = ()
    external_labels: dict[str, str] = Field(default_factory=dict)
    external_url: str = ""
    start_timestamp: Annotated[datetime, PlainValidator(_moment), _TEXT] = _EPOCH


class Keys(Model):
    """A file of tests."""

    rule_files: tuple[str, ...] = ()
    evaluation_interval: Span = INTERVAL
    group_eval_order: tuple[str, ...] = ()
    tests: tuple[Group, ...] = ()
    fuzzy_compare: bool = False

    @model_validator(mode="after")
    def _evaluable(self) -> Keys:
        if not self.evaluation_interval:
            raise ValueError("evaluation_interval: should be longer than nothing")
        for name in self.group_eval_order:
            if self.group_eval_order.count(name) > 1:
                raise ValueError(f'group_eval_order: "{name}" is here twice')
        return self


@dataclass(frozen=True, slots=True)
class PromtoolFile:
    """One file.

    Args:
        path: as it is shown.
        keys: what it says.
        found: where it stands, to look further from.
    """

    path: str
    keys: Keys
    found: Found = field(repr=False)

    def position(self, *path: str | int) -> Position:
        """Return where something stands."""
        return position_at(self.found, path)

    def problem(self, path: tuple[str | int, ...], check: str, says: str, fix: str = "") -> Problem:
        """Return a finding about what stands under a path of keys."""
        return problem_at(self.found, path, check, says, fix)


def build_promtool(roots: Iterable[MappingNode], findings: Findings) -> tuple[PromtoolFile, ...]:
    """Return the files; what is wrong is reported."""
    reader = Reader(findings, Substitution({}), verbatim=True)
    read = ((root, reader.model(Keys, root, "promtool", "a file of promtool's tests")) for root in roots)
    return tuple(PromtoolFile(root.file.path, keys, Found(root)) for root, keys in read if keys is not None)
