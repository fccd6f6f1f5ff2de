"""What a person sets at run time: it has an author, a reason and an end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from sentinel.core.severity import Severity

_CONDITION = re.compile(r"([A-Za-z_]\w*)\s*(!?)=\s*(.*)", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class Silence:
    """Stops the telling of what it matches, never the judging.

    Args:
        id: unique.
        match: label (or rule, severity, owner, probe, file) to what it must be, in the words of a route's `match`.
        author: who set it.
        reason: why.
        starts_at: from when.
        ends_at: until when; ending it early moves this.
    """

    id: str
    match: Mapping[str, str | tuple[str, ...]]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody is on it: stops reminders and escalation for one alert, until it ends, rises, or `ends_at`."""

    fingerprint: str
    author: str
    reason: str
    at: datetime
    ends_at: datetime
    severity: Severity


def parse_match(conditions: Iterable[str]) -> dict[str, str | tuple[str, ...]]:
    """Read conditions as people type them into what a silence or a route's `match` holds.

    `severity=critical`, `rule=queue-*`, `owner!=data`, `severity=warning+`, `rule=a,b` (either); a value in double
    quotes may have commas. The same key twice is either value, too.

    Raises:
        ValueError: one is no such condition; the text shows it, and how it is written.
    """
    found: dict[str, tuple[str, ...]] = {}
    for condition in conditions:
        written = _CONDITION.fullmatch(condition.strip())
        if written is None:
            raise ValueError(f'"{condition}" is no condition; write rule=queue-* or owner!=data')
        key, unlike, text = written.groups()
        values = (text[1:-1],) if len(text) > 1 and text[0] == text[-1] == '"' else tuple(text.split(","))
        if unlike and (len(values) > 1 or key in found):
            raise ValueError(f"{key}!= takes one value, once: of several, any would do, and that is everything")
        found[key] = (*found.get(key, ()), *(f"!{value}" if unlike else value for value in values))
    return {key: values[0] if len(values) == 1 else values for key, values in found.items()}


def conditions_of(match: Mapping[str, str | Iterable[str]]) -> Iterator[str]:
    """Yield conditions as people type them; `parse_match` makes the same of them again."""
    for key, wanted in match.items():
        values = (wanted,) if isinstance(wanted, str) else tuple(wanted)
        if len(values) == 1 and values[0].startswith("!"):
            yield f"{key}!={_quoted(values[0][1:])}"
        elif all(_quoted(value) == value for value in values):
            yield f"{key}={','.join(values)}"
        else:
            yield from (f"{key}={_quoted(value)}" for value in values)


def write_match(match: Mapping[str, str | Iterable[str]]) -> str:
    """Write conditions in one line: `rule=queue, severity=warning+`."""
    return ", ".join(conditions_of(match))


def _quoted(value: str) -> str:
    odd = "," in value or value != value.strip() or value.startswith('"')
    return f'"{value}"' if odd else value
