"""Incoming: a file's lines become stretches, some at a time, whatever the file's length and format. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

from sentinel.store.jsonlines import read_line
from sentinel.store.openmetrics import read_lines
from sentinel.store.stretch import Stretch, gathered

#: Samples held at once.
_MOST = 20_000


class Layout(StrEnum):
    """How samples are written."""

    JSONL = "jsonl"
    OPENMETRICS = "openmetrics"
    PROMTOOL = "promtool"


def stretches(lines: Iterable[str], layout: Layout | None = None) -> Iterator[list[Stretch]]:
    """Yield what the lines hold.

    Args:
        lines: of text.
        layout: of them; None: as the first line looks.

    Raises:
        ValueError: a line cannot be read; the text says which, and why.
    """
    lines = iter(lines)
    first = next((line for line in lines if line.strip()), "")
    layout, lines = layout or layout_of(first), chain([first], lines)
    if layout is Layout.JSONL:
        yield from _of_json(lines)
    else:
        yield from gathered(read_lines(lines, 1000 if layout is Layout.OPENMETRICS else 1), _MOST)


def layout_of(line: str) -> Layout:
    """Return how a file is written that begins with this line."""
    if line.startswith("{__name__="):
        return Layout.PROMTOOL
    return Layout.JSONL if line.startswith('{"') and '"metric":' in line.replace(" ", "") else Layout.OPENMETRICS


def _of_json(lines: Iterable[str]) -> Iterator[list[Stretch]]:
    held: list[Stretch] = []
    count = 0
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            held.append(read_line(line))
        except ValueError as exc:
            raise ValueError(f"line {number}: {exc}") from None
        count += len(held[-1].ts)
        if count >= _MOST:
            yield held
            held, count = [], 0
    if held:
        yield held
