"""What an answer of HTTP should be: each expectation gets its verdict, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema, model_validator

from sentinel.core.fields import AnyValue, Model, Pattern, PositiveDuration, Quantity
from sentinel.core.quantity import Unit, format_duration, format_value
from sentinel.core.regex import compile_pattern
from sentinel.probes.base import Verdict
from sentinel.probes.difference import difference, written
from sentinel.probes.extract import parse_json, shown
from sentinel.probes.schema import check_schema, schema_differences

_CLASS = re.compile(r"([1-5])xx", re.IGNORECASE)
_RANGE = re.compile(r"([1-5]\d\d)(?:\s*-\s*([1-5]\d\d))?")
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


def _bytes(given: Quantity) -> Quantity:
    if given.unit not in (Unit.BYTES, Unit.NUMBER) or given.value < 0:
        raise ValueError(f'"{given}" is not a size; write 200B, 10kB, 2MiB')
    return given


#: `10kB`, `2MiB`, `200`.
Bytes = Annotated[Quantity, AfterValidator(_bytes)]


class Size(Model):
    """How long a body should be, unpacked."""

    at_least: Bytes | None = None
    at_most: Bytes | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Size:
        if self.at_least is None and self.at_most is None:
            raise ValueError("needs at_least, at_most or both")
        if self.at_least and self.at_most and self.at_least.value > self.at_most.value:
            raise ValueError(f"at_least: {self.at_least} is more than at_most")
        return self


class Expectation(Model):
    """What an answer of HTTP should be.

    Args:
        status: any of these; default 2xx.
        headers: patterns (RE2, found anywhere) by name.
        body: a pattern (RE2) that is found in the body.
        body_not: a pattern (RE2) that is not.
        size: of the body.
        json_: fields that the JSON body has, by name or path (JMESPath), and their values; of a mapping only what it
            names is compared, anything else must be equal.
        schema_: that the JSON body fits, or the name of a file with it (JSON Schema).
        within: how long the whole answer may take.
    """

    SHORT = "status"

    status: Statuses = ("2xx",)
    headers: dict[str, Pattern] = Field(default_factory=dict)
    body: Pattern | None = None
    body_not: Pattern | None = None
    size: Size | None = None
    json_: dict[str, AnyValue] = Field(default_factory=dict, alias="json")
    schema_: Annotated[AnyValue, AfterValidator(check_schema)] | None = Field(None, alias="schema")
    within: PositiveDuration | None = None


@dataclass(frozen=True)
class Document:
    """A body, read as JSON when somebody asks."""

    body: bytes

    @cached_property
    def _read(self) -> tuple[Any, str]:
        try:
            return parse_json(self.body), ""
        except ValueError as exc:
            return None, f"body is {exc}"

    @property
    def json(self) -> Any:
        """The document, None where there is none."""
        return self._read[0]

    @property
    def unreadable(self) -> str:
        """Why the body is no JSON, or ""."""
        return self._read[1]


def status_is(status: int, wanted: tuple[str, ...]) -> bool:
    """Say whether a status is one of those wanted."""
    for word in wanted:
        if found := _RANGE.fullmatch(word):
            if int(found[1]) <= status <= int(found[2] or found[1]):
                return True
        elif status // 100 == int(word[0]):
            return True
    return False


def verdicts(
    expect: Expectation, status: int, headers: Mapping[str, str], document: Document, took_seconds: float
) -> Iterator[Verdict]:
    """Iterate over the verdicts on every expectation, the gravest first.

    Args:
        expect: what should be.
        status: of the answer.
        headers: of the answer, by name without regard to case.
        document: its body.
        took_seconds: from asking to the last byte.
    """
    wanted = " or ".join(expect.status)
    words = "" if status_is(status, expect.status) else f"status is {status}, expected {wanted}"
    yield Verdict("status", f"status {wanted}", words, "auth" if status in _REFUSALS else "status")
    for name, pattern in expect.headers.items():
        yield Verdict("headers", f"header {name}: {pattern}", _header(name, headers.get(name), pattern))
    yield from _of_body(expect, document.body)
    yield from _of_json(expect, document)
    if expect.within is not None:
        limit = format_duration(expect.within)
        late = took_seconds > expect.within.total_seconds()
        words = f"answered after {took_seconds * 1000:.0f} ms, expected within {limit}" if late else ""
        yield Verdict("within", f"within {limit}", words)


def _header(name: str, value: str | None, pattern: str) -> str:
    if value is None:
        return f"header {name} is missing"
    fits = compile_pattern(pattern).search(value)
    return "" if fits else f"header {name} is {shown(value)}, expected {pattern}"


def _of_body(expect: Expectation, body: bytes) -> Iterator[Verdict]:
    text = body.decode(errors="replace") if expect.body is not None or expect.body_not is not None else ""
    if expect.body is not None:
        fits = compile_pattern(expect.body).search(text)
        words = "" if fits else f'nothing in the body matches "{expect.body}": {shown(body)}'
        yield Verdict("body", f'body matches "{expect.body}"', words)
    if expect.body_not is not None:
        found = compile_pattern(expect.body_not).search(text)
        words = f'the body matches "{expect.body_not}": {shown(found.group())}' if found else ""
        yield Verdict("body_not", f'body does not match "{expect.body_not}"', words)
    if expect.size is not None:
        for least, bound in ((True, expect.size.at_least), (False, expect.size.at_most)):
            if bound is not None:
                fits = len(body) >= bound.value if least else len(body) <= bound.value
                limit = f"at {'least' if least else 'most'} {bound}"
                words = "" if fits else f"body has {format_value(len(body), Unit.BYTES)}, expected {limit}"
                yield Verdict("size", f"size {limit}", words)


def _of_json(expect: Expectation, document: Document) -> Iterator[Verdict]:
    if (expect.json_ or expect.schema_ is not None) and document.unreadable:
        yield Verdict("json", "body is JSON", document.unreadable)
        return
    for path, wanted in expect.json_.items():
        found = [f"JSON {words}" for words in difference(document.json, path, wanted)]
        yield from (Verdict("json", f"JSON {path}: {written(wanted)}", words) for words in found or [""])
    if expect.schema_ is not None:
        name = f"JSON Schema {expect.schema_}" if isinstance(expect.schema_, str) else "JSON Schema"
        try:
            found = [f"JSON {words}" for words in schema_differences(expect.schema_, document.json)]
        except ValueError as exc:
            yield Verdict("schema", name, str(exc), "error")
            return
        yield from (Verdict("schema", name, words) for words in found or [""])
