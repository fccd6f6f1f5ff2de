"""`sentinel import`: a tree out of another system's configuration."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli import Misused
from sentinel.cli.init import SCHEMA, schema_text
from sentinel.cli.output import Format, FormatOption, print_json
from sentinel.config.files import FOLDERS, read_files
from sentinel.core.clock import SystemClock
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Source, Unreadable
from sentinel.exchange.systems import draft_of
from sentinel.exchange.there import There
from sentinel.exchange.write import settled


class System(StrEnum):
    """Whose configuration can be read."""

    PROMETHEUS = "prometheus"
    ALERTMANAGER = "alertmanager"
    GATUS = "gatus"
    UPTIME_KUMA = "uptime-kuma"
    HEALTHCHECKS = "healthchecks"


def import_(
    system: Annotated[System, typer.Argument(help="Whose configuration it is.", show_default=False)],
    files: Annotated[list[Path], typer.Argument(help="Its files.", show_default=False)],
    into: Annotated[
        Path | None, typer.Option(help="A folder for the tree; without it, the files are printed.", show_default=False)
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Make a tree that passes `sentinel check` out of another system's configuration.

    What could not be carried over is listed on standard error, with the line where it stands. Secrets are never
    written: each becomes a reference such as ${SLACK_WEBHOOK}, and the names to set are listed. Nothing is overwritten.
    """
    try:
        draft = draft_of(system.value, [Source.read(file) for file in files], _there(into))
    except Unreadable as exc:
        raise Misused(str(exc)) from None
    texts = settled(draft, SystemClock().now())
    if into is not None:
        _write(into, texts)
    if output is Format.JSON:
        notes = [{"position": str(note.position), "says": note.says} for note in draft.notes]
        print_json({"files": texts, "secrets": draft.secrets, "notes": notes})
        return
    if into is None:
        for path, text in sorted(texts.items()):
            sys.stdout.write(f"# --- {path}\n{text}\n")
        sys.stdout.flush()
    _tell(draft, texts, into)


def _there(folder: Path | None) -> There:
    """Return what a folder holds already."""
    if folder is None:
        return There()
    texts, _ = read_files([found for name in FOLDERS if (found := folder / name).is_dir()], folder)
    return There(texts)


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    there = sorted(str(folder / path) for path in texts if (folder / path).exists())
    if there:
        raise Misused(f"{', '.join(there)}: there already; choose another folder")
    schema = {} if (folder / SCHEMA).exists() else {SCHEMA.as_posix(): schema_text()}
    try:
        for path, text in {**texts, **schema}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="")
    except OSError as exc:
        raise Misused(f"{exc.filename}: cannot be written: {exc.strerror}") from None


def _tell(draft: Draft, texts: Mapping[str, str], into: Path | None) -> None:
    """Say what was made, what was not, and what comes next."""
    for note in sorted(draft.notes, key=lambda note: note.position):
        sys.stderr.write(f"{note}\n")
    made = [f"{len(entries)} {section}" for section, entries in draft.sections.items() if entries]
    made += [f"{len(draft.files)} rule files as they are"] if draft.files else []
    sys.stderr.write(f"\n{', '.join(made)}; {len(draft.notes)} notes on what is missing or otherwise\n")
    if draft.secrets:
        sys.stderr.write("Set these in the environment of the agent:\n")
        for name, what in sorted(draft.secrets.items()):
            sys.stderr.write(f"  {name}  {what}\n")
    if into is not None:
        for path in sorted(texts):
            sys.stderr.write(f"wrote {into / path}\n")
        sys.stderr.write(f"\nNext: read them, then `sentinel check {into}`.\n")
