"""printf: values as Go's fmt writes them."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d*))?(?:\[(\d+)\])?(.?)", re.DOTALL)
#: Nobody means to write more in one place.
_WIDEST = 1000


def plain(value: object) -> str:
    """Write a value as `%v` does: `{{ $value }}`."""
    match value:
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case float():
            return _shortest(value)
        case Mapping() if isinstance(value.get("Labels"), Mapping):  # an element, or all that a template is given
            return f"{{{' '.join(map(plain, value.values()))}}}"
        case Mapping():
            return f"map[{' '.join(f'{key}:{plain(value[key])}' for key in sorted(value))}]"
        case str():
            return value
        case Sequence():
            return f"[{' '.join(map(plain, value))}]"
        case datetime():
            fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
            return f"{value:%Y-%m-%d %H:%M:%S}{fraction} +0000 UTC"
        case timedelta():
            return _length(value)
        case _:
            return str(value)


def _length(value: timedelta) -> str:
    """Write a length of time as Go does: `1h0m5.5s`, `250ms`."""
    left = abs(value)
    sign = "-" if value < timedelta() else ""
    if timedelta() < left < timedelta(seconds=1):
        small = left / timedelta(milliseconds=1)
        return f"{sign}{small:g}ms" if small >= 1 else f"{sign}{small * 1000:g}µs"
    minutes, seconds = divmod(left.total_seconds(), 60)
    hours, minutes = divmod(int(minutes), 60)
    begins = f"{hours}h{minutes}m" if hours else f"{minutes}m" if minutes else ""
    return f"{sign}{begins}{round(seconds, 6):.8g}s"


def rounded(value: float, digits: int = 4) -> str:
    """Write a number with so many digits that count: `%.4g`."""
    return _special(value) or f"{value:.{digits}g}"


def printf(form: str, *values: object) -> str:
    """Fill in a format of Go's; what does not fit is written as Go writes it: `%!d(float64=5)`."""
    at, places = 0, False

    def written(found: re.Match[str]) -> str:
        nonlocal at, places
        flags, width, precision, place, verb = found.groups()
        if verb == "%":
            return "%"
        if not verb:
            return "%!(NOVERB)"
        wanted = int(place) if place else at + 1
        places = places or bool(place)
        if not 0 < wanted <= len(values):
            return f"%!{verb}({'BADINDEX' if place else 'MISSING'})"
        at = wanted
        digits = None if precision is None else min(int(precision or 0), _WIDEST)
        text = _verb(verb, values[at - 1], flags, digits)
        return _padded(text, flags, min(int(width or 0), _WIDEST))

    text = _VERB.sub(written, form)
    left = () if places else values[at:]
    return f"{text}%!(EXTRA {', '.join(f'{_type(one)}={plain(one)}' for one in left)})" if left else text


def _verb(verb: str, value: object, flags: str, digits: int | None) -> str:
    sign = "+" if "+" in flags else " " if " " in flags else ""
    match verb, value:
        case "v", float() if digits is not None:
            return _signed(rounded(value, digits or 1), sign)
        case "v", _:
            return plain(value)
        case "T", _:
            return _type(value)
        case "s", str():
            return value if digits is None else value[:digits]
        case "s", (Mapping() | list()):
            return plain(value)
        case "q", str():
            return json.dumps(value, ensure_ascii=False)
        case "c", int() if 0 <= value <= sys.maxunicode:
            return chr(value)
        case "t", bool():
            return plain(value)
        case (("d" | "x" | "X" | "o" | "b"), int()) if not isinstance(value, bool):
            return _signed(format(value, verb), sign)
        case _, float() if verb in "fFeEgG":
            return _signed(_float(verb, value, digits), sign)
        case _, None:
            return f"%!{verb}(<nil>)"
    return f"%!{verb}({_type(value)}={plain(value)})"


def _float(verb: str, value: float, digits: int | None) -> str:
    if verb in "fFeE":
        return _special(value) or f"{value:.{6 if digits is None else digits}{verb}}"
    text = _shortest(value) if digits is None else rounded(value, digits or 1)
    return text.replace("e", "E") if verb == "G" else text


def _signed(text: str, sign: str) -> str:
    return text if text.startswith(("-", "+")) else sign + text


def _padded(text: str, flags: str, width: int) -> str:
    if "-" in flags:
        return text.ljust(width)
    return text.zfill(width) if "0" in flags else text.rjust(width)


def _type(value: object) -> str:
    names = {bool: "bool", int: "int", float: "float64", str: "string", type(None): "<nil>"}
    return names.get(type(value), "map[string]string" if isinstance(value, Mapping) else "[]interface {}")


def _special(value: float) -> str:
    """Write what is no finite number; "" for one that is."""
    if math.isnan(value):
        return "NaN"
    return "" if math.isfinite(value) else f"{value:+}".replace("inf", "Inf")


def _shortest(value: float) -> str:
    """Write the fewest digits that mean this number, with an exponent from 1e6 on and below 1e-4."""
    if text := _special(value):
        return text
    if value == 0 or 1e-4 <= abs(value) < 1e6:
        text = format(Decimal(repr(value)), "f")
        return text.removesuffix(".0")
    mantissa, exponent = f"{Decimal(repr(value)).normalize():e}".split("e")
    return f"{mantissa}e{int(exponent):+03d}"
