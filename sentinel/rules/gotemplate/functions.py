"""functions: what a template may call, each as Prometheus or Go has it.

https://github.com/prometheus/prometheus/blob/main/template/template.go, https://pkg.go.dev/text/template#hdr-Functions
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote_plus

from sentinel.core.quantity import parse_duration
from sentinel.core.regex import compile_pattern, fill_groups
from sentinel.rules.gotemplate.printf import plain, printf, rounded

_LARGE, _SMALL = ("k", "M", "G", "T", "P", "E", "Z", "Y"), ("m", "u", "n", "p", "f", "a", "z", "y")
_BINARY = ("ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")


class CannotExpand(Exception):
    """A template that was read and cannot be filled in with what it is given."""


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)


def number(given: object) -> float:
    """Take a number, or a text that is one."""
    try:
        if isinstance(given, (int, float, str)) and not isinstance(given, bool):
            return float(given)
    except ValueError:
        pass
    raise CannotExpand(f"can't convert {plain(given)!r} to float")


def truth(value: object) -> bool:
    """Say whether Go takes a value for true: anything but zero and what is empty."""
    return bool(value)


def _scaled(value: float, prefixes: Sequence[str], base: float) -> str:
    prefix = ""
    for next_prefix in prefixes:
        if abs(value) < base if base > 1 else abs(value) >= 1:
            break
        prefix = next_prefix
        value = value / base
    return f"{rounded(value)}{prefix}"


def _humanize(given: object) -> str:
    value = number(given)
    if value == 0 or not math.isfinite(value):
        return rounded(value)
    return _scaled(value, _LARGE, 1000) if abs(value) >= 1 else _scaled(value, _SMALL, 1 / 1000)


def _humanize1024(given: object) -> str:
    value = number(given)
    return rounded(value) if abs(value) <= 1 or not math.isfinite(value) else _scaled(value, _BINARY, 1024)


def _humanize_duration(given: object) -> str:
    value = number(given)
    if not math.isfinite(value):
        return rounded(value)
    if value == 0 or abs(value) < 1:
        return f"{_humanize(value)}s"
    sign, length = ("-" if value < 0 else ""), abs(value)
    seconds = int(length)
    days, hours, minutes = seconds // 86_400, seconds // 3600 % 24, seconds // 60 % 60
    parts = [f"{days}d", f"{hours}h", f"{minutes}m", f"{seconds % 60}s"]
    if seconds < 60:
        return f"{sign}{rounded(length)}s"
    return sign + " ".join(parts[0 if days else 1 if hours else 2 :])


def _percentage(given: object) -> str:
    return f"{rounded(number(given) * 100)}%"


def _to_time(given: object) -> datetime:
    value = number(given)
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value)
    except (OverflowError, ValueError) as exc:
        raise CannotExpand(f"{plain(value)} is no time") from exc


def _to_duration(given: object) -> timedelta:
    value = number(given)
    try:
        return timedelta(seconds=value)
    except (OverflowError, ValueError) as exc:
        raise CannotExpand(f"{plain(value)} is no length of time") from exc


def _timestamp(given: object) -> str:
    value = number(given)
    if not math.isfinite(value):
        return rounded(value)
    return plain(_to_time(value))


def _upper(text: str) -> str:
    """Write in capitals, letter by letter: Go leaves ß alone."""
    return "".join(character.upper() if len(character.upper()) == 1 else character for character in text)


def _title(text: str) -> str:
    words, before = "", " "
    for character in text:
        words += character if before.isalnum() or before == "_" else character.upper()
        before = character
    return words


def _replace(pattern: str, by: str, text: str) -> str:
    """Replace every match; in `by`, `$1` and `${name}` stand for groups, as in Go."""
    try:
        compiled = compile_pattern(pattern)
    except ValueError as exc:
        raise CannotExpand(f"regexp: {exc}") from None
    written, at, ended = "", 0, -1
    for found in compiled.finditer(text):
        if found.end() > ended:  # nothing directly behind a match is none, in Go
            written += text[at : found.start()] + fill_groups(by, found)
            at = ended = found.end()
    return written + text[at:]


def _match(pattern: str, text: str) -> bool:
    try:
        return compile_pattern(pattern).search(text) is not None
    except ValueError as exc:
        raise CannotExpand(f"regexp: {exc}") from None


#: As Go's `net.SplitHostPort` parts them.
_HOST_AND_PORT = re.compile(r"(?:\[([^\[\]]*)\]|([^:\[\]]*)):[^:\[\]]*")


def _strip_port(text: str) -> str:
    parted = _HOST_AND_PORT.fullmatch(text)
    return parted[1] or parted[2] or "" if parted else text


def _strip_domain(text: str) -> str:
    host = _strip_port(text)
    port = text.rpartition(":")[2] if host != text else ""
    try:
        ip_address(host)
    except ValueError:
        return host.split(".")[0] + (f":{port}" if port else "")
    return text


def _first(samples: Sequence[Any]) -> Any:
    if not samples:
        raise CannotExpand("first() called on vector with no elements")
    return samples[0]


def _label(name: str, sample: Mapping[str, Any]) -> str:
    return str(sample["Labels"].get(name, ""))


def _value(sample: Mapping[str, Any]) -> float:
    return float(sample["Value"])


def _sort_by_label(name: str, samples: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(samples, key=lambda sample: _label(name, sample))


def _link(expr: str, tab: int) -> str:
    return f"/graph?g0.expr={quote_plus(expr)}&g0.tab={tab}"


def _index(of: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(of, Mapping):
            of = of.get(key, "")
        elif isinstance(key, int) and isinstance(of, (list, str)) and 0 <= key < len(of):
            of = of[key]
        else:
            raise CannotExpand(f"error calling index: {plain(key)} is not in it")
    return of


def _slice(of: Any, *bounds: int) -> Any:
    try:
        return of[slice(*bounds)] if len(bounds) != 1 else of[bounds[0] :]
    except (TypeError, ValueError) as exc:
        raise CannotExpand(f"error calling slice: {exc}") from None


def _and(*given: object) -> object:
    return next((one for one in given if not truth(one)), given[-1])


def _or(*given: object) -> object:
    return next((one for one in given if truth(one)), given[-1])


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[..., bool]:
    """Compare as Go does, which refuses a whole number beside a float: `gt $value 90` wants `90.0`."""

    def check(one: object, *others: object) -> bool:
        if not others:
            raise CannotExpand("missing argument for comparison")
        for other in others:
            if type(one) is not type(other):
                raise CannotExpand("incompatible types for comparison; beside $value write 90.0, not 90")
        return any(compare(one, other) for other in others)

    return check


def _print(*given: object) -> str:
    """Write with a blank between two values of which none is a text."""
    written = ""
    for at, one in enumerate(given):
        apart = at and not isinstance(one, str) and not isinstance(given[at - 1], str)
        written += f"{' ' if apart else ''}{plain(one)}"
    return written


def _duration(given: object) -> float:
    try:
        return parse_duration(str(given)).total_seconds()
    except ValueError as exc:
        raise CannotExpand(str(exc)) from None


#: By name; `query` and `now` are of the instant of the evaluation.
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "and": _and,
    "args": lambda *given: {f"arg{at}": one for at, one in enumerate(given)},
    "eq": _compared(operator.eq),
    "externalURL": lambda: "",
    "first": _first,
    "ge": _compared(operator.ge),
    "graphLink": lambda expr: _link(expr, 0),
    "gt": _compared(operator.gt),
    "html": lambda *given: _escaped(_print(*given)),
    "humanize": _humanize,
    "humanize1024": _humanize1024,
    "humanizeDuration": _humanize_duration,
    "humanizePercentage": _percentage,
    "humanizeTimestamp": _timestamp,
    "index": _index,
    "join": lambda texts, by: by.join(texts),
    "label": _label,
    "le": _compared(operator.le),
    "len": len,
    "lt": _compared(operator.lt),
    "match": _match,
    "ne": _compared(operator.ne),
    "not": lambda given: not truth(given),
    "or": _or,
    "parseDuration": _duration,
    "pathPrefix": lambda: "",
    "print": _print,
    "printf": printf,
    "println": lambda *given: " ".join(map(plain, given)) + "\n",
    "reReplaceAll": _replace,
    "safeHtml": lambda text: text,
    "slice": _slice,
    "sortByLabel": _sort_by_label,
    "stripDomain": _strip_domain,
    "stripPort": _strip_port,
    "strvalue": lambda sample: _label("__value__", sample),
    "tableLink": lambda expr: _link(expr, 1),
    "title": _title,
    "toDuration": _to_duration,
    "toLower": str.lower,
    "toTime": _to_time,
    "toUpper": _upper,
    "urlQueryEscape": quote_plus,
    "urlquery": lambda *given: quote_plus(_print(*given)),
    "value": _value,
}
