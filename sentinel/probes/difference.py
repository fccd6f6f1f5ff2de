"""Where JSON differs from what is wanted, each field by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sentinel.probes.extract import at_path

#: A name that is looked up as it is; anything else is a path.
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_MISSING = object()


def difference(document: Any, path: str, wanted: Any) -> Iterator[str]:
    """Iterate over how what stands at a name or path differs; of a mapping only what it names is compared."""
    yield from _differences(_found(document, path), wanted, path)


def _found(document: Any, path: str) -> Any:
    if _PLAIN.fullmatch(path) or (isinstance(document, dict) and path in document):
        return document.get(path, _MISSING) if isinstance(document, dict) else _MISSING
    try:
        found = at_path(document, path)
    except ValueError:
        return _MISSING
    return _MISSING if found is None else found


def _differences(found: Any, wanted: Any, path: str) -> Iterator[str]:
    if found is _MISSING:
        if wanted is not None:
            yield f"field {path} is missing"
    elif isinstance(wanted, dict):
        if not isinstance(found, dict):
            yield f"field {path} is {written(found)}, expected a mapping"
            return
        for name, value in wanted.items():
            yield from _differences(found.get(name, _MISSING), value, f"{path}.{name}")
    elif isinstance(found, bool) != isinstance(wanted, bool) or found != wanted:
        yield f"field {path} is {written(found)}, expected {written(wanted)}"


def written(value: Any) -> str:
    """Write JSON for a message, its beginning if it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}…"
