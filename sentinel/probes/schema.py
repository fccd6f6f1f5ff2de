"""JSON Schema: what a document should look like, and which field of it does not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sentinel.probes.difference import written

#: The most differences that are looked for: a list may hold a million elements that are all wrong.
_MOST = 20


def check_schema(given: Any) -> Any:
    """Return a schema, or the name of the file that holds one.

    Raises:
        ValueError: it is neither; the text says why.
    """
    if isinstance(given, Mapping):
        _validator(json.dumps(given))
    elif not isinstance(given, str) or not given:
        raise ValueError("should be a JSON Schema, or the name of a file that holds one")
    return given


def schema_differences(schema: Mapping[str, Any] | str, document: Any) -> Iterator[str]:
    """Iterate over where a document differs from a schema, or from that in a file.

    Raises:
        ValueError: the file cannot be read, or holds no schema.
    """
    from referencing.exceptions import Unresolvable

    if isinstance(schema, str):
        path = Path(schema)
        try:
            validator = _in_file(path, path.stat().st_mtime_ns)
        except OSError as exc:
            raise ValueError(f"{schema}: {exc.strerror}") from None
    else:
        validator = _validator(json.dumps(schema))
    try:
        for count, error in enumerate(validator.iter_errors(document)):
            if count == _MOST:
                return
            yield from _in_words(error)
    except (Unresolvable, RecursionError) as exc:
        raise ValueError(f"JSON Schema cannot be followed: {str(exc) or type(exc).__name__}") from None


@lru_cache(maxsize=64)
def _in_file(path: Path, _changed_ns: int) -> Any:
    try:
        return _validator(path.read_text(encoding="utf-8"))
    except ValueError as exc:
        raise ValueError(f"{path}: {exc}") from None


@lru_cache(maxsize=256)
def _validator(text: str) -> Any:
    """Make a validator; it follows references inside the schema, and fetches none."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry

    schema = json.loads(text)
    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
    except SchemaError as exc:
        where = "".join(f"{part}: " for part in exc.absolute_path)
        raise ValueError(f"is not a JSON Schema: {where}{exc.message[:200]}") from None
    return kind(schema, registry=Registry())


def _in_words(error: Any) -> Iterator[str]:
    """Say which field differs: `required` and `additionalProperties` are about its parts, not about itself."""
    path = ".".join(map(str, error.absolute_path))
    match error.validator:
        case "required":
            # There is one error for each name, and its text alone says which.
            name = next(name for name in error.validator_value if error.message.startswith(repr(name)))
            yield f"field {f'{path}.' if path else ''}{name} is missing"
        case "additionalProperties" if error.validator_value is False:
            for name in _strangers(error.instance, error.schema):
                yield f"field {f'{path}.' if path else ''}{name} is new"
        case _:
            where = f"field {path}" if path else "the document"
            yield f"{where} is {written(error.instance)}, expected {error.validator} {written(error.validator_value)}"


def _strangers(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Iterator[str]:
    patterns = [re.compile(pattern) for pattern in schema.get("patternProperties", ())]
    known = schema.get("properties", {})
    yield from (name for name in document if name not in known and not any(one.search(name) for one in patterns))
