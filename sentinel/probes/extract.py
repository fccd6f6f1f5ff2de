"""Numbers and times taken out of JSON: `metrics: {queue_depth: queue.depth}`, each a JMESPath."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Annotated, Any

from pydantic import AfterValidator

from sentinel.core.fields import MetricName
from sentinel.core.sample import COUNTER_ENDINGS, Sample

_NUMBER = re.compile(r"[-+]?(\d+(\.\d*)?|\.\d+)([eE][-+]?\d+)?")
_SHOWN = 60


def _path(text: str) -> str:
    try:
        _compiled(text)
    except ValueError as exc:
        why = str(exc).splitlines()[0] if str(exc) else type(exc).__name__
        raise ValueError(f'"{text}" is not a path into JSON (JMESPath): {why}') from None
    return text


@lru_cache(maxsize=1024)
def _compiled(text: str) -> Any:
    import jmespath  # its errors are ValueErrors

    return jmespath.compile(text)


#: A path into JSON, as in `queue.depth`, `items[0].id`, `length(items)`.
JsonPath = Annotated[str, AfterValidator(_path)]
#: Metrics by name, each taken from a path.
Metrics = dict[MetricName, JsonPath]


def at_path(document: Any, path: str) -> Any:
    """Return what stands at a path, None where nothing does.

    Raises:
        ValueError: the path asks something of the document that it cannot answer.
    """
    try:
        return _compiled(path).search(document)
    except ValueError as exc:
        raise ValueError(f"{path}: {str(exc).splitlines()[0]}") from None


def parse_json(body: str | bytes) -> Any:
    """Read JSON from an untrusted body.

    Raises:
        ValueError: it is none; the text says where, and shows how it begins.
    """
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("JSON that is nested too deep") from None
    except json.JSONDecodeError as exc:
        raise ValueError(f"not JSON ({exc.msg} at line {exc.lineno}): {shown(body)}") from None
    except UnicodeDecodeError as exc:
        raise ValueError(f"not JSON: byte {exc.start} is not UTF-8") from None


def shown(body: str | bytes) -> str:
    """Return how a body begins, on one line, for a message."""
    text = body.decode(errors="replace") if isinstance(body, bytes) else body
    text = "".join(letter if letter.isprintable() else " " for letter in text[: 2 * _SHOWN])
    text = " ".join(text.split())
    return f'"{text[:_SHOWN]}…"' if len(text) > _SHOWN or len(body) > 2 * _SHOWN else f'"{text}"'


def numbers(document: Any, metrics: Mapping[str, str]) -> list[Sample]:
    """Return a sample for each metric.

    Raises:
        ValueError: a path finds nothing, or no number or time: a renamed field is noticed, not lost.
    """
    return [
        Sample(name, _number(at_path(document, path), path, document), counter=name.endswith(COUNTER_ENDINGS))
        for name, path in metrics.items()
    ]


def header_numbers(headers: Mapping[str, str], metrics: Mapping[str, str]) -> list[Sample]:
    """Return a sample for each metric, out of the header that it names: a number, or a time in any usual form.

    Raises:
        ValueError: a header is missing, or holds neither.
    """
    return [
        Sample(name, _in_header(headers, header), counter=name.endswith(COUNTER_ENDINGS))
        for name, header in metrics.items()
    ]


def _in_header(headers: Mapping[str, str], name: str) -> float:
    if (value := headers.get(name)) is None:
        raise ValueError(f"header {name} is missing")
    try:
        return parsedate_to_datetime(value).timestamp()
    except ValueError:
        return _number(value.strip(), f"header {name}", None)


def _number(found: Any, path: str, document: Any) -> float:
    match found:
        case None:
            fields = f"; there are {', '.join(sorted(document)[:8])}" if isinstance(document, dict) and document else ""
            raise ValueError(f"{path} finds nothing in the JSON{fields}")
        case bool() | int() | float():
            try:
                return float(found)
            except OverflowError:
                raise ValueError(f"{path} is too large a number") from None
        case str() if _NUMBER.fullmatch(found):
            return float(found)
        case str():
            try:
                moment = datetime.fromisoformat(found)
            except ValueError:
                raise ValueError(f"{path} is neither a number nor a time: {shown(found)}") from None
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        case _:
            raise ValueError(f"{path} is not a number: {shown(json.dumps(found))}")
