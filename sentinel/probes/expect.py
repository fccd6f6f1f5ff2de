"""What an answer should be: status, headers, body, JSON and time, each difference in words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, Field, WithJsonSchema

from sentinel.core.fields import AnyValue, Model, Pattern, PositiveDuration
from sentinel.core.quantity import format_duration
from sentinel.core.regex import compile_pattern
from sentinel.probes.extract import at_path, shown

_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_RANGE = re.compile(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?")
#: A name that is looked up as it is; anything else is a path.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
#: Statuses that say that whoever asked may not.
_REFUSALS = (401, 403, 407)


def _statuses(given: Any) -> tuple[str, ...]:
    parts = given if isinstance(given, list | tuple) else str(given).split(",")
    words = tuple(str(part).strip().lower() for part in parts)
    for word in words:
        if not (_CLASS.fullmatch(word) or _RANGE.fullmatch(word)):
            raise ValueError(f'"{word}" is not a status: 200, 2xx, 200-299, or a list of these')
    if not words:
        raise ValueError("should name at least one status: 200, 2xx, 200-299")
    return words


#: `2xx`, `200`, `200-204`, `[200, 404]`.
Statuses = Annotated[
    tuple[str, ...],
    BeforeValidator(_statuses),
    WithJsonSchema({"anyOf": [{"type": ["string", "integer"]}, {"type": "array"}]}),
]


class Miss(NamedTuple):
    """A difference: the key of the expectation, the reason that a failure has for it, and words."""

    key: str
    reason: str
    words: str


class Expectation(Model):
    """What an answer of HTTP should be.

    Args:
        status: any of these; default 2xx.
        within: how long the whole answer may take.
        headers: patterns (RE2, found anywhere) by name.
        body: a pattern (RE2) that is found in the body.
        json_: fields that the JSON body has, by name or path (JMESPath), and their values; of a mapping only what it
            names is compared, anything else must be equal.
    """

    SHORT = "status"

    status: Statuses = ("2xx",)
    within: PositiveDuration | None = None
    headers: dict[str, Pattern] = Field(default_factory=dict)
    body: Pattern | None = None
    json_: dict[str, AnyValue] = Field(default_factory=dict, alias="json")


def status_is(status: int, wanted: tuple[str, ...]) -> bool:
    """Say whether a status is one of those wanted."""
    for word in wanted:
        if found := _RANGE.fullmatch(word):
            if int(found[1]) <= status <= int(found[2] or found[1]):
                return True
        elif status // 100 == int(word[0]):
            return True
    return False


def misses(
    expect: Expectation, status: int, headers: Mapping[str, str], body: bytes, document: Any, took_seconds: float
) -> Iterator[Miss]:
    """Iterate over what is not as expected, the gravest first.

    Args:
        expect: what should be.
        status: of the answer.
        headers: of the answer, by name without regard to case.
        body: of the answer.
        document: its JSON, where JSON is expected.
        took_seconds: from asking to the last byte.
    """
    if not status_is(status, expect.status):
        wanted = " or ".join(expect.status)
        yield Miss("status", "auth" if status in _REFUSALS else "status", f"status is {status}, expected {wanted}")
    for name, pattern in expect.headers.items():
        value = headers.get(name)
        if value is None:
            yield Miss("headers", "expect", f"header {name} is missing")
        elif not compile_pattern(pattern).search(value):
            yield Miss("headers", "expect", f"header {name} is {shown(value)}, expected {pattern}")
    if expect.body is not None and not compile_pattern(expect.body).search(body.decode(errors="replace")):
        yield Miss("body", "expect", f'nothing in the body matches "{expect.body}": {shown(body)}')
    for path, wanted_value in expect.json_.items():
        for difference in differences(_found(document, path), wanted_value, path):
            yield Miss("json", "expect", f"JSON {difference}")
    if expect.within is not None and took_seconds > expect.within.total_seconds():
        limit = format_duration(expect.within)
        yield Miss("within", "expect", f"answered after {took_seconds * 1000:.0f} ms, expected within {limit}")


_MISSING = object()


def _found(document: Any, path: str) -> Any:
    if _PLAIN.fullmatch(path) or (isinstance(document, dict) and path in document):
        return document.get(path, _MISSING) if isinstance(document, dict) else _MISSING
    try:
        found = at_path(document, path)
    except ValueError:
        return _MISSING
    return _MISSING if found is None else found


def differences(found: Any, wanted: Any, path: str) -> Iterator[str]:
    """Iterate over where JSON differs from what is wanted, naming each field."""
    if found is _MISSING:
        if wanted is not None:
            yield f"field {path} is missing"
    elif isinstance(wanted, dict):
        if not isinstance(found, dict):
            yield f"field {path} is {_written(found)}, expected a mapping"
            return
        for name, value in wanted.items():
            yield from differences(found.get(name, _MISSING), value, f"{path}.{name}")
    elif isinstance(found, bool) != isinstance(wanted, bool) or found != wanted:
        yield f"field {path} is {_written(found)}, expected {_written(wanted)}"


def _written(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
