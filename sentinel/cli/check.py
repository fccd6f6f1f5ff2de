"""`sentinel check`: what is wrong in YAML, before it is committed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.output import Format, FormatOption, print_json
from sentinel.config.render import as_dict, as_text, tally
from sentinel.config.survey import FOLDERS, Survey, survey
from sentinel.core.clock import SystemClock
from sentinel.core.severity import Severity


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; without any, the agent's own tree.", show_default=False),
    ] = None,
    output: FormatOption = Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail it, too.")] = False,
) -> None:
    """Say everything that is wrong in YAML files, each with its place and a proposal.

    The tree around the files (the nearest folder that holds probes, rules or notifiers) is read for what they name.
    Exit code 0: well, or warnings only; 1: something is wrong; 2: a path cannot be read.
    """
    found = survey(paths or _own_tree(), os.environ, SystemClock().now(), Path())
    if output is Format.JSON:
        notes = _notes(found)
        print_json({"files": found.files, "problems": [as_dict(problem) for problem in found.problems], "notes": notes})
    else:
        sys.stdout.write(as_text(found.problems, colour=sys.stdout.isatty()))
        sys.stdout.write(f"{_verdict(found)}\n")
        for note in _notes(found):
            sys.stderr.write(f"note: {note}\n")
    raise typer.Exit(_exit_code(found, strict=strict))


def _own_tree() -> list[Path]:
    from sentinel.settings import load_settings

    return list(load_settings().paths)


def _exit_code(found: Survey, *, strict: bool) -> int:
    if found.unreadable:
        return 2
    limit = Severity.WARNING if strict else Severity.ERROR
    return 1 if any(problem.severity >= limit for problem in found.problems) else 0


def _verdict(found: Survey) -> str:
    files = f"{found.files} file{'s' if found.files != 1 else ''}"
    counted = tally(found.problems)
    return f"{counted} in {files}" if counted else f"{files} checked, nothing wrong"


def _notes(found: Survey) -> list[str]:
    notes = []
    if not found.complete and found.files:
        notes.append(
            f"there is no tree around ({', '.join(f'{name}/' for name in FOLDERS)}): "
            "whether the probes, rules and notifiers that are named exist was not checked"
        )
    if found.elsewhere:
        errors = f"{found.elsewhere} error{'s' if found.elsewhere != 1 else ''}"
        notes.append(f"{errors} in other files of the tree: sentinel check {' '.join(map(_shown, found.trees))}")
    return notes


def _shown(path: Path) -> str:
    return os.path.relpath(path)
