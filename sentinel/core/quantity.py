"""Quantities as people write them: `1h30m`, `5%`, `1.5GB`, `8000/min`, and how a value is written back like them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any


class Unit(StrEnum):
    """What a number counts, in base units."""

    NUMBER = "number"
    RATIO = "ratio"
    SECONDS = "seconds"
    BYTES = "bytes"
    PER_SECOND = "per second"


_SECONDS = {
    "w": Decimal(604_800),
    "d": Decimal(86_400),
    "h": Decimal(3_600),
    "m": Decimal(60),
    "s": Decimal(1),
    "ms": Decimal("0.001"),
    "us": Decimal("0.000001"),
}
#: A lone m reads as metres to people.
_SHOWN = {"m": " min"}
_DECIMAL = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BYTES = {"B": 1, "kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    f"{prefix}iB": 1024**power for power, prefix in enumerate("KMGT", start=1)
}
#: What people call units of time, by the word.
UNIT_OF_WORD = {
    word: unit
    for unit, words in {
        "ms": ("msec", "millis", "millisecond", "milliseconds"),
        "s": ("sec", "secs", "second", "seconds"),
        "m": ("min", "mins", "minute", "minutes"),
        "h": ("hr", "hrs", "hour", "hours"),
        "d": ("day", "days"),
        "w": ("week", "weeks"),
    }.items()
    for word in words
}
_PERIODS = {"s": 1, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}

_NUMBER = r"(?:\d+(?:\.\d*)?|\.\d+)"
_DURATION = re.compile(rf"{_NUMBER}(?:us|ms|[wdhms])(?:{_NUMBER}(?:us|ms|[wdhms]))*")
#: The same for others who read regular expressions: a duration, or 0.
DURATION_PATTERN = rf"^\s*(0|{_DURATION.pattern.replace('us|', 'us|µs|')})\s*$"
#: The digits before the point of a number that is parted by thousands when it is shown.
_LONG = re.compile(r"(?<![\d.])\d{4,}")
_PART = re.compile(rf"({_NUMBER})(us|ms|[wdhms])")
_QUANTITY = re.compile(rf"([+-]?)({_NUMBER}(?:[eE][+-]?\d{{1,3}})?)\s*(%|[a-zA-Z]*)(?:/([a-zA-Z]+))?")

_WRITE_DURATION = "write 30s, 15m, 1h30m, 7d"
_WRITE_QUANTITY = "write 5%, 50ms, 15m, 1.5GB, 1.5k, 200, 10/s or 8000/min"


def parse_duration(text: str) -> timedelta:
    """Read a duration: numbers with units, the greatest first, each unit once; a bare 0 is none at all.

    Raises:
        ValueError: it is no duration; the text says what would be.
    """
    text = text.strip().replace("µs", "us")
    if text == "0":
        return timedelta()
    if not _DURATION.fullmatch(text):
        raise ValueError(_not_a_duration(text))
    parts = _PART.findall(text)
    units = [unit for _, unit in parts]
    if units != sorted(set(units), key=list(_SECONDS).index):
        raise ValueError(f'"{text}" should name each unit once, the greatest first; {_WRITE_DURATION}')
    seconds = sum((Decimal(number) * _SECONDS[unit] for number, unit in parts), Decimal())
    if seconds > _SECONDS["d"] * 36_500:
        raise ValueError(f'"{text}" is longer than a hundred years')
    return timedelta(microseconds=int((seconds * 1_000_000).to_integral_value()))


def _not_a_duration(text: str) -> str:
    if not text:
        return f"a duration is missing; {_WRITE_DURATION}"
    if re.fullmatch(_NUMBER, text):
        return f'"{text}" has no unit; write {text}s, {text}m or {text}h'
    if text.startswith("-"):
        return f'"{text}" is negative; a duration is not'
    if found := re.fullmatch(rf"({_NUMBER})\s*(sec|second|min|minute|hour|hr|day|week)s?", text.lower()):
        unit = {"min": "m", "minute": "m", "hr": "h"}.get(found[2], found[2][0])
        return f'"{text}" is not a duration; write {found[1]}{unit}'
    return f'"{text}" is not a duration; {_WRITE_DURATION}'


def format_duration(duration: timedelta) -> str:
    """Write a duration as it would be written in YAML, `1h30m`; days are the greatest unit, microseconds the least."""
    left = duration // timedelta(microseconds=1)
    sign, left = ("-", -left) if left < 0 else ("", left)
    written = ""
    for unit in ("d", "h", "m", "s", "ms", "us"):
        count, left = divmod(left, int(_SECONDS[unit] * 1_000_000))
        written += f"{count}{unit}" if count else ""
    return sign + (written or "0s")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit; usable as the type of a pydantic field.

    Args:
        value: in base units: 0.05 for `5%`, 0.05 for `50ms`, 133.3 for `8000/min`.
        unit: of the value.
        text: as it was written.
    """

    value: float
    unit: Unit
    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def shown(self) -> str:
        """As it stands in a sentence beside a value: `8,000/min`."""
        return _LONG.sub(lambda found: f"{int(found[0]):,}", self.text)

    @property
    def period(self) -> timedelta | None:
        """The time that a rate names: a minute for `8000/min`; None for what is no rate."""
        name = self.text.rpartition("/")[2]
        return timedelta(seconds=_PERIODS[name]) if self.unit is Unit.PER_SECOND else None

    def for_metric(self, metric: str) -> float:
        """Return the value in the unit that the metric's name ends in: `80%` for `cpu_percent` is 80.

        Raises:
            ValueError: the unit does not fit the metric.
        """
        unit, scale = unit_of_metric(metric)
        if self.unit is Unit.NUMBER or unit is None:
            return self.value
        if self.unit is not unit:
            raise ValueError(f'"{self.text}" counts {self.unit.value}, {metric} {unit.value}')
        return self.value * scale

    @classmethod
    def __get_pydantic_core_schema__(cls, _source: Any, _handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_plain_validator_function(
            lambda given: given if isinstance(given, cls) else parse_quantity(_text(given)),
            serialization=core_schema.to_string_ser_schema(),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, _schema: Any, _handler: Any) -> dict[str, Any]:
        return {"type": ["string", "number"], "description": f"A quantity; {_WRITE_QUANTITY}."}


def _text(given: object) -> str:
    if isinstance(given, str):
        return given
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        return repr(given)
    raise ValueError(f"should be a quantity; {_WRITE_QUANTITY}")


@lru_cache(maxsize=1024)
def parse_quantity(text: str) -> Quantity:
    """Read a quantity.

    Raises:
        ValueError: it is none; the text says what would be.
    """
    text = text.strip().replace("µs", "us")
    if _DURATION.fullmatch(text.lstrip("+-")) and text not in ("0", "-0"):
        direction = -1 if text.startswith("-") else 1
        return Quantity(direction * parse_duration(text.lstrip("+-")).total_seconds(), Unit.SECONDS, text)
    found = _QUANTITY.fullmatch(text)
    if not found:
        raise ValueError(
            f'"{text}" is not a quantity; {_WRITE_QUANTITY}' if text else f"a value is missing; {_WRITE_QUANTITY}"
        )
    sign, digits, suffix, period = found.groups()
    number = Decimal(sign + digits)
    if period is not None:
        if period not in _PERIODS:
            raise ValueError(f'"{text}": no rate is per "{period}"; write /s, /min, /h, /d or /w')
        if (factor := (_DECIMAL | _BYTES).get(suffix)) is None:
            raise ValueError(f'"{text}": a rate has no unit "{suffix}"; write 10/s, 1.5k/min, 2MB/s')
        return _quantity(number * factor / _PERIODS[period], Unit.PER_SECOND, text)
    if suffix == "%":
        return _quantity(number / 100, Unit.RATIO, text)
    if suffix in _DECIMAL:
        return _quantity(number * _DECIMAL[suffix], Unit.NUMBER, text)
    if suffix in _BYTES:
        return _quantity(number * _BYTES[suffix], Unit.BYTES, text)
    raise ValueError(f'"{text}": "{suffix}" is not a unit; {_WRITE_QUANTITY}')


def _quantity(number: Decimal, unit: Unit, text: str) -> Quantity:
    value = float(number)
    if value in (float("inf"), float("-inf")):
        raise ValueError(f'"{text}" is too large')
    return Quantity(value, unit, text)


#: How a metric's name ends, what it then counts, and how many of that are one base unit.
_ENDINGS = {
    "_seconds": (Unit.SECONDS, 1.0),
    "_milliseconds": (Unit.SECONDS, 1000.0),
    "_ms": (Unit.SECONDS, 1000.0),
    "_bytes": (Unit.BYTES, 1.0),
    "_ratio": (Unit.RATIO, 1.0),
    "_percent": (Unit.RATIO, 100.0),
}


def unit_of_metric(metric: str) -> tuple[Unit | None, float]:
    """Return what a metric counts by the ending of its name, and how many of its own units are one base unit."""
    for suffix in ("_total", "_sum"):
        metric = metric.removesuffix(suffix)
    return next((meant for ending, meant in _ENDINGS.items() if metric.endswith(ending)), (None, 1.0))


@lru_cache(maxsize=1024)  # a value is written three times each time that it is judged, and many are like others
def format_value(value: float, unit: Unit = Unit.NUMBER, like: str = "") -> str:
    """Write a value of base units for people, in the unit that the text `like` (a threshold) was written in.

    Three digits count; more are shown where the value would else look equal to `like` and is not.
    """
    if value != value:
        return "not a number"
    if value in (float("inf"), float("-inf")):
        return "infinity" if value > 0 else "-infinity"
    scale, suffix = _scale_like(like) or _natural_scale(value, unit)
    shown = value / scale
    other = parse_quantity(like).value / scale if like else None
    digits = 3
    written = _rounded(shown, digits)
    while other is not None and shown != other and float(written.replace(",", "")) == other and digits < 12:
        digits += 1
        written = _rounded(shown, digits)
    return f"{written}{suffix}"


def _rounded(number: float, digits: int) -> str:
    """Write a number with so many significant digits, all of those before the point, and commas by thousands."""
    if number == 0:
        return "0"
    before = len(str(int(abs(number)))) if abs(number) >= 1 else 1 - _leading_zeros(number)
    after = max(0, digits - before)
    written = f"{number:,.{min(after, 15)}f}"
    return written.rstrip("0").rstrip(".") if "." in written else written


def _leading_zeros(number: float) -> int:
    exponent = int(f"{abs(number):e}".split("e")[1])
    return -exponent


@lru_cache(maxsize=1024)
def _scale_like(like: str) -> tuple[float, str] | None:
    """Return how many base units are one of what `like` is written in, and how that is written behind a number."""
    if not like:
        return None
    text = like.strip()
    parts = _PART.findall(text.lstrip("+-")) if _DURATION.fullmatch(text.lstrip("+-")) else []
    if parts:
        return float(_SECONDS[parts[0][1]]), _SHOWN.get(parts[0][1], f" {parts[0][1]}")
    found = _QUANTITY.fullmatch(text)
    if not found:
        return None
    _, _, suffix, period = found.groups()
    factor = float((_DECIMAL | _BYTES).get(suffix, 1))
    if period:
        return factor / _PERIODS[period], f"{' ' if suffix in _BYTES else ''}{suffix}/{period}"
    if suffix == "%":
        return 0.01, "%"
    return factor, f" {suffix}" if suffix in _BYTES else suffix


def _natural_scale(value: float, unit: Unit) -> tuple[float, str]:
    size = abs(value)
    match unit:
        case Unit.RATIO:
            return 0.01, "%"
        case Unit.SECONDS:
            fitting = [u for u in ("d", "h", "m", "s", "ms") if size >= float(_SECONDS[u])]
            name = fitting[0] if fitting else ("us" if 0 < size < 0.001 else "s")
            return float(_SECONDS[name]), _SHOWN.get(name, f" {name}")
        case Unit.BYTES:
            name = next((u for u in ("TB", "GB", "MB", "kB") if size >= _BYTES[u]), "B")
            return float(_BYTES[name]), f" {name}"
        case Unit.PER_SECOND:
            return 1.0, "/s"
        case Unit.NUMBER:
            return 1.0, ""
