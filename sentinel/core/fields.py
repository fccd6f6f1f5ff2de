"""Types of fields in YAML: a scalar is text, and its key says what it means.

The tree hands over text for every scalar: `Plain` for one without quotes, `str` for one in quotes. Most fields do not
care; only `AnyValue` (free-form JSON) reads a plain `5` as a number and a quoted one as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
    model_validator,
)

from sentinel.core.quantity import DURATION_PATTERN, Quantity, format_duration, parse_duration, parse_quantity
from sentinel.core.regex import compile_pattern
from sentinel.core.schedule import Cron, Schedule
from sentinel.core.severity import Severity


class Plain(str):
    """A scalar that was written without quotes."""

    __slots__ = ()


class Model(BaseModel):
    """What is read from YAML: it knows its keys, refuses others, and never changes.

    A kind whose value may be one word says which field that word fills: `SHORT = "url"` lets `http: https://x` stand
    for `http: {url: https://x}`.
    """

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        validate_default=False,
        hide_input_in_errors=True,
        # A schema is built when something is first read with it: most of a process's models never are.
        defer_build=True,
    )

    SHORT: ClassVar[str | None] = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, given: Any) -> Any:
        """Let one word, or a list, fill the field that `SHORT` names."""
        return {cls.SHORT: given} if cls.SHORT is not None and isinstance(given, (str, list)) else given


def _duration(given: Any) -> timedelta:
    if isinstance(given, timedelta):
        return given
    if isinstance(given, str):
        return parse_duration(given)
    raise ValueError("should be a duration such as 30s, 15m, 1h30m, 7d")


def _positive(given: timedelta) -> timedelta:
    if not given:
        raise ValueError("should be longer than nothing")
    return given


def _pattern(given: Any) -> str:
    if not isinstance(given, str):
        raise ValueError("should be a regular expression (RE2)")
    try:
        compile_pattern(str(given))
    except ValueError as exc:
        raise ValueError(f"is not a regular expression (RE2): {exc}") from None
    return str(given)


def _ratio(given: Any) -> float:
    if isinstance(given, float):
        return given
    value = parse_quantity(given).value if isinstance(given, str) else None
    if value is None or not 0 <= value <= 1:
        raise ValueError("should be a share between 0 and 1, such as 99.9% or 0.999")
    return value


def _severity(given: Any) -> Severity:
    if isinstance(given, Severity):
        return given
    if not isinstance(given, str):
        raise ValueError("should be one of info, warning, error, critical")
    return Severity.of(given)


def _cron(given: Any) -> Cron:
    if isinstance(given, Cron):
        return given
    if not isinstance(given, str):
        raise ValueError('should be a cron expression such as "*/10 * * * *"')
    return Cron(str(given))


def _schedule(given: Any, info: Any) -> Schedule:
    if isinstance(given, Schedule):
        return given
    context = info.context or {}
    from sentinel.core.hours import parse_schedule

    return parse_schedule(given, context.get("schedules"), context.get("timezone", "UTC"))


def _moment(given: Any, info: Any) -> datetime:
    from sentinel.core.hours import parse_moment

    if isinstance(given, datetime):
        return given
    if not isinstance(given, str):
        raise ValueError("should be a date and time such as 2026-12-01 20:00")
    return parse_moment(str(given), (info.context or {}).get("timezone", "UTC"))


def _matching(pattern: str, says: str) -> BeforeValidator:
    def check(given: Any) -> str:
        if not isinstance(given, str) or not re.fullmatch(pattern, given):
            raise ValueError(f"{says}" if not isinstance(given, str) else f'"{given}" {says}')
        return str(given)

    return BeforeValidator(check)


_CORE_INT = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_CORE_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CORE_WORDS: Mapping[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def resolve(given: Any) -> Any:
    """Give free-form values the types of YAML 1.2's core schema: only scalars without quotes are more than text."""
    if isinstance(given, Mapping):
        return {str(key): resolve(value) for key, value in given.items()}
    if isinstance(given, list):
        return [resolve(value) for value in given]
    if not isinstance(given, Plain):
        return given
    text = str(given)
    if text in _CORE_WORDS:
        return _CORE_WORDS[text]
    if _CORE_INT.fullmatch(text) and len(text) <= 400:
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    return float(text) if _CORE_FLOAT.fullmatch(text) else text


def _as_text(given: timedelta) -> str:
    return format_duration(given)


#: What editors are told of a duration.
_POSITIVE_SCHEMA = {
    "type": "string",
    "pattern": DURATION_PATTERN,
    "errorMessage": "a duration has a unit: 30s, 15m, 1h30m, 7d",
    "description": "A duration: 30s, 15m, 1h30m, 7d.",
}
_DURATION_SCHEMA = {"description": _POSITIVE_SCHEMA["description"], "anyOf": [_POSITIVE_SCHEMA, {"const": 0}]}


class OneOrMore:
    """Lets one word stand for a list of one: `by: channel` for `by: [channel]`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            lambda given: [given] if isinstance(given, str) else given, handler(source)
        )

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        several = handler(schema)
        return {"anyOf": [several["items"], several]}


class _ScheduleForms:
    """Tells editors the forms of a schedule."""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        from sentinel.core.hours import JSON_SCHEMA

        return JSON_SCHEMA


#: `15m`; a number without a unit is an error.
Duration = Annotated[
    timedelta,
    PlainValidator(_duration),
    PlainSerializer(_as_text),
    WithJsonSchema(_DURATION_SCHEMA),
]
#: A duration longer than nothing.
PositiveDuration = Annotated[
    timedelta,
    PlainValidator(lambda given: _positive(_duration(given))),
    PlainSerializer(_as_text),
    WithJsonSchema(_POSITIVE_SCHEMA),
]
#: A TCP or UDP port.
Port = Annotated[int, Field(ge=1, le=65535)]
#: A regular expression of RE2's syntax, checked.
Pattern = Annotated[str, PlainValidator(_pattern), WithJsonSchema({"type": "string", "format": "regex"})]
#: A share: `99.9%` or `0.999`.
Ratio = Annotated[float, PlainValidator(_ratio), WithJsonSchema({"type": ["string", "number"]})]
#: `info`, `warning`, `error` or `critical`.
SeverityName = Annotated[
    Severity,
    PlainValidator(_severity),
    PlainSerializer(str),
    WithJsonSchema({"type": "string", "enum": [str(severity) for severity in Severity]}),
]
#: A cron expression of five fields, in UTC; `Cron.within` moves it to a time zone.
CronExpression = Annotated[Cron, PlainValidator(_cron), PlainSerializer(str), WithJsonSchema({"type": "string"})]
#: A schedule in any of its forms; the validation context may hold `schedules` by name and the `timezone`.
ScheduleValue = Annotated[Schedule, PlainValidator(_schedule), _ScheduleForms()]
#: A date and time; on the clock of the validation context's `timezone`, unless it names its own.
Moment = Annotated[
    datetime,
    PlainValidator(_moment),
    WithJsonSchema({"type": "string", "description": "A date and time: 2026-12-01 20:00."}),
]
#: A label's name.
LabelName = Annotated[
    str,
    _matching("[a-zA-Z_][a-zA-Z0-9_]*", "is not a label's name: letters, digits and _ only"),
    WithJsonSchema({"type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$"}),
]
#: A metric's name.
MetricName = Annotated[
    str,
    _matching("[a-zA-Z_:][a-zA-Z0-9_:]*", "is not a metric's name: letters, digits, _ and : only"),
    WithJsonSchema({"type": "string", "pattern": "^[a-zA-Z_:][a-zA-Z0-9_:]*$"}),
]
#: Labels by name.
LabelMap = dict[LabelName, str]
#: Free-form JSON.
AnyValue = Annotated[Any, BeforeValidator(resolve), WithJsonSchema({})]

__all__ = [
    "AnyValue",
    "CronExpression",
    "Duration",
    "LabelMap",
    "LabelName",
    "MetricName",
    "Model",
    "Moment",
    "OneOrMore",
    "Pattern",
    "Plain",
    "Port",
    "PositiveDuration",
    "Quantity",
    "Ratio",
    "ScheduleValue",
    "SeverityName",
    "resolve",
]
