"""What commands print: tables for people, JSON for programs; colour on a terminal only."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentinel.core.clock import SystemClock

if TYPE_CHECKING:
    from rich.console import Console

_COLOURS = {"critical": "bold red", "error": "red", "warning": "yellow", "info": "blue", "dead": "bold red"}


class Format(StrEnum):
    """In which form a command prints."""

    TEXT = "text"
    JSON = "json"


FormatOption = Annotated[Format, typer.Option("--format", help="Print for people, or for programs.")]


def console(*, stderr: bool = False) -> Console:
    """Return where to print; without colours and wrapping where it is no terminal."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, soft_wrap=not stream.isatty())


def print_json(data: Any) -> None:
    """Print JSON."""
    sys.stdout.write(json.dumps(data, ensure_ascii=False, indent=2) + "\n")


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> None:
    """Print rows under headings, or a sentence where there are none; piped, columns are parted by tabs."""
    rows = [tuple(row) for row in rows]
    if not rows:
        console().print(empty)
        return
    if not sys.stdout.isatty():
        for row in rows:
            sys.stdout.write("\t".join(" ".join(cell.split()) for cell in row) + "\n")
        return
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
    for name in columns:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_COLOURS.get(cell, "")) for cell in row))
    console().print(table)


def ago(instant: str | None) -> str:
    """Write how long ago an instant of the API was."""
    if not instant:
        return "never"
    seconds = round((SystemClock().now() - datetime.fromisoformat(instant)).total_seconds())
    sign, seconds = ("in ", -seconds) if seconds < 0 else ("", seconds)
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if (count := round(seconds / size) if sign else seconds // size) >= 2:
            return f"{sign}{count} {unit}{'' if sign else ' ago'}"
    return f"{sign}{seconds} s{'' if sign else ' ago'}"


def labels(pairs: dict[str, str]) -> str:
    """Write labels in one line."""
    return ", ".join(f"{name}={value}" for name, value in pairs.items())
