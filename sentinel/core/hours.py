"""Hours: the forms in which people write a schedule."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, TypeVar

from sentinel.core.localtime import instant_of, zone
from sentinel.core.problem import near
from sentinel.core.quantity import format_duration, parse_duration
from sentinel.core.schedule import AnyOf, Cron, Once, Opposite, Recurring, Schedule, Weekly

T = TypeVar("T")

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORMS = (
    "should be a schedule: {days: mon-fri, from: 09:00, to: 18:00}, {cron: 0 2 * * sun, lasts: 2h}, "
    "{start: 2026-12-01 20:00, end: 2026-12-01 23:00}, a list of these, or the name of one"
)
_CLOCK = {"type": "string", "pattern": "^([01]?\\d|2[0-4]):[0-5]\\d$", "patternErrorMessage": "a time: 09:00"}
_MOMENT = {"type": "string", "description": "A date and time: 2026-12-01 20:00."}
_ZONE = {"timezone": {"type": "string", "description": "Whose clock it is, such as Europe/Berlin; default UTC."}}
_MAPPINGS = [
    {
        "type": "object",
        "description": "The same hours on some days of each week.",
        "properties": {
            "days": {
                "description": "mon-fri, or a list such as [mon, wed]; default every day.",
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            },
            "from": _CLOCK | {"description": "When it begins; default 00:00."},
            "to": _CLOCK | {"description": "When it ends; before from, it crosses midnight. Default 24:00."},
            "except": {
                "description": "Dates on which it does not hold: [2026-12-25].",
                "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
            },
            **_ZONE,
        },
        "additionalProperties": False,
        "minProperties": 1,
    },
    {
        "type": "object",
        "description": "From each moment of a cron expression on, for so long.",
        "properties": {
            "cron": {"type": "string", "description": 'When it begins: "0 2 * * sun".'},
            "lasts": {"type": "string", "description": "For how long: 2h."},
            **_ZONE,
        },
        "required": ["cron", "lasts"],
        "additionalProperties": False,
    },
    {
        "type": "object",
        "description": "From one moment to another.",
        "properties": {"start": _MOMENT, "end": _MOMENT, **_ZONE},
        "required": ["start", "end"],
        "additionalProperties": False,
    },
]
_NAMED = {"type": "string", "description": 'The name of one under schedules:, or "!name", its opposite.'}
#: What editors are told of a schedule: its forms, as `parse_schedule` reads them.
JSON_SCHEMA: dict[str, list[dict[str, Any]]] = {
    "anyOf": [*_MAPPINGS, _NAMED, {"type": "array", "items": {"anyOf": [*_MAPPINGS, _NAMED]}}]
}


def parse_schedule(given: Any, named: Mapping[str, Schedule] | None = None, timezone: str = "UTC") -> Schedule:
    """Read a schedule in any of its forms.

    Args:
        given: a mapping, a list of schedules, a name, or "!name".
        named: the schedules that a name may mean.
        timezone: of a mapping that does not say one.

    Raises:
        ValueError: it is none; the text says what is wrong.
    """
    if isinstance(given, Schedule):
        return given
    if isinstance(given, str):
        return _by_name(given, named or {})
    if isinstance(given, Mapping):
        return _from_mapping(given, timezone)
    if isinstance(given, Sequence) and given:
        return AnyOf(tuple(parse_schedule(part, named, timezone) for part in given))
    raise ValueError(_FORMS)


def _by_name(text: str, named: Mapping[str, Schedule]) -> Schedule:
    name = text.removeprefix("!").strip()
    if name not in named:
        fix = near(name, set(named), "schedules") or "define it under schedules:"
        raise ValueError(f'"{name}" is not a schedule; {fix}')
    return Opposite(named[name]) if text.startswith("!") else named[name]


def _from_mapping(given: Mapping[Any, Any], timezone: str) -> Schedule:
    keys = {str(key): value for key, value in given.items()}
    timezone = _words(keys.pop("timezone", timezone), "timezone")
    _within("timezone", zone, timezone)
    match frozenset(keys):
        case names if "cron" in names:
            _only(keys, "cron", "lasts")
            if "lasts" not in keys:
                raise ValueError('a schedule with cron needs "lasts", such as lasts: 2h')
            lasts = _within("lasts", parse_duration, _words(keys["lasts"], "lasts"))
            if not lasts:
                raise ValueError("lasts: should be longer than nothing")
            cron = _within("cron", Cron, _words(keys["cron"], "cron")).within(timezone)
            if lasts >= cron.longest_gap:
                raise ValueError(f"lasts: {format_duration(lasts)} does not end before its cron begins anew")
            return Recurring(cron, lasts)
        case names if names & {"start", "end"}:
            _only(keys, "start", "end")
            if len(keys) < 2:
                raise ValueError('a schedule needs both "start" and "end", or neither')
            begin, end = (
                _within(key, lambda text: parse_moment(text, timezone), _words(keys[key], key))
                for key in ("start", "end")
            )
            if end <= begin:
                raise ValueError("end: should be later than start")
            return Once(begin, end)
        case names if names:
            _only(keys, "days", "from", "to", "except")
            return _weekly(keys, timezone)
        case _:
            raise ValueError(_FORMS)


def _weekly(keys: Mapping[str, Any], timezone: str) -> Weekly:
    begin = _clock(keys.get("from", "00:00"), "from")
    end = _clock(keys.get("to", "24:00"), "to")
    if begin >= timedelta(days=1):
        raise ValueError("from: should be before 24:00")
    if begin == end:
        raise ValueError("from and to are the same; leave both out for the whole day")
    if end < begin:
        end += timedelta(days=1)
    excepted = keys.get("except", [])
    dates = [excepted] if isinstance(excepted, str) else excepted
    if not isinstance(dates, Sequence):
        raise ValueError("except: should be a list of dates such as [2026-12-25]")
    return Weekly(
        days=_days(keys.get("days", "mon-sun")),
        begin=time(begin.seconds // 3600, begin.seconds // 60 % 60),
        end=end,
        excepted=frozenset(_date(day) for day in dates),
        timezone=timezone,
    )


def _days(given: Any) -> frozenset[int]:
    parts = given.split(",") if isinstance(given, str) else given
    if not isinstance(parts, Sequence) or not parts:
        raise ValueError("days: should be mon-fri, or a list such as [mon, wed]")
    found: set[int] = set()
    for part in parts:
        names = [name.strip().lower() for name in _words(part, "days").split("-")]
        if len(names) > 2 or any(name not in _DAYS for name in names):
            raise ValueError(f'days: "{part}" is not a day or a range of days; write mon, tue, …, sun or mon-fri')
        first, last = _DAYS.index(names[0]), _DAYS.index(names[-1])
        found |= {day % 7 for day in range(first, last + 1 if last >= first else last + 8)}
    return frozenset(found)


def _clock(given: Any, key: str) -> timedelta:
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", _words(given, key).strip())
    length = timedelta(hours=int(found[1]), minutes=int(found[2])) if found else None
    if found is None or length is None or int(found[2]) > 59 or length > timedelta(days=1):
        raise ValueError(f'{key}: "{given}" is not a time of day; write one such as 09:00')
    return length


def _date(given: Any) -> date:
    try:
        return date.fromisoformat(_words(given, "except"))
    except ValueError:
        raise ValueError(f'except: "{given}" is not a date; write 2026-12-25') from None


def parse_moment(text: str, timezone: str) -> datetime:
    """Read a date and time on the clock of a time zone, unless it names its own.

    Raises:
        ValueError: it is none; the text says what would be.
    """
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f'"{text}" is not a date and time; write 2026-12-01 20:00') from None
    return read.astimezone(UTC) if read.tzinfo else instant_of(read, zone(timezone))


def _within(key: str, read: Callable[[str], T], text: str) -> T:
    """Read the text of a key; what is wrong with it begins with the key."""
    try:
        return read(text)
    except ValueError as exc:
        raise ValueError(f"{key}: {exc}") from None


def _words(given: Any, key: str) -> str:
    if not isinstance(given, str):
        raise ValueError(f"{key}: should be a text")
    return str(given)


def _only(keys: Mapping[str, Any], *allowed: str) -> None:
    for key in keys:
        if key not in allowed:
            raise ValueError(
                f'"{key}" does not belong in a schedule with {allowed[0]}; it takes {", ".join(allowed)}, timezone'
            )
