"""Rows of a query become samples: numbers are metrics, text is labels."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import COUNTER_ENDINGS, Sample

_LABEL = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")


@dataclass(frozen=True, slots=True)
class Table:
    """What a query found."""

    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]]


def samples_of(table: Table, labels: frozenset[str]) -> list[Sample]:
    """Return a sample for each number of each row.

    Args:
        table: what the query found.
        labels: columns that are labels whatever they hold.

    Raises:
        ProbeFailed: a NULL, two rows alike, a column without a fit name, or none where `labels` names one.
    """
    metrics, named = _roles(table, labels)
    samples: list[Sample] = []
    first_at: dict[frozenset[tuple[str, str]], int] = {}
    for number, row in enumerate(table.rows, start=1):
        texts = {name: _text(row[column]) for column, name in named if row[column] is not None}
        identity = frozenset(texts.items())
        if (first := first_at.setdefault(identity, number)) != number:
            written = ", ".join(f"{name}={value}" for name, value in sorted(texts.items())) or "no labels"
            raise ProbeFailed("expect", f"rows {first} and {number} have the same labels ({written}); group by more")
        for column, name in metrics:
            if row[column] is None:
                raise ProbeFailed("expect", f"{name} is NULL in row {number}; write coalesce({name}, 0)")
            value = _number(row[column])
            samples.append(Sample(name, value, texts, counter=name.endswith(COUNTER_ENDINGS)))
        if not metrics:
            samples.append(Sample("probe_sql_row", 1.0, texts))
    return samples


def _roles(table: Table, labels: frozenset[str]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Say of each column whether it is a metric or a label: by what its rows hold, so a NULL does not decide."""
    if missing := labels - set(table.columns):
        there = ", ".join(table.columns)
        raise ProbeFailed("expect", f"the query has no column {', '.join(sorted(missing))}; there are {there}")
    metrics, named = [], []
    for column, name in enumerate(table.columns):
        if not _LABEL.fullmatch(name):
            raise ProbeFailed("expect", f'column "{name}" needs a name of letters, digits and _: write … as orders')
        if table.columns.index(name) != column:
            raise ProbeFailed("expect", f"two columns are called {name}; give one another name")
        values = [row[column] for row in table.rows if row[column] is not None]
        if name in labels or any(not isinstance(value, _NUMBERS) for value in values):
            named.append((column, name))
        else:
            metrics.append((column, name))
    return metrics, named


_NUMBERS = (bool, int, float, Decimal, datetime, date, timedelta)


def _number(value: Any) -> float:
    match value:
        case datetime():
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        case date():
            return datetime.combine(value, time(), UTC).timestamp()
        case timedelta():
            return value.total_seconds()
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _text(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case bytes() | bytearray() | memoryview():
            return bytes(value).decode(errors="replace")
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
