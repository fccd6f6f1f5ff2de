"""`sentinel export`: rules for other systems."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from sentinel.config.files import read_files, tree_around
from sentinel.config.load import inspect
from sentinel.config.render import as_text, tally
from sentinel.core.clock import SystemClock
from sentinel.core.severity import Severity
from sentinel.settings import load_settings

app = typer.Typer(rich_markup_mode=None, no_args_is_help=True)


@app.callback()
def group() -> None:
    """Write rules for other systems."""


@app.command()
def prometheus(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; without any, the agent's own tree.", show_default=False),
    ] = None,
) -> None:
    """Print the rules as a rule file of Prometheus: one alert for each severity.

    What plain PromQL cannot say (counting exactly, hours, causes, what holds while data are missing) is written as the
    nearest that it can, noted in a comment, and listed on standard error.
    """
    from sentinel.exchange.export import export

    wanted = [part for path in paths or load_settings().paths for part in _parts(path)]
    texts, unreadable = read_files(wanted, Path())
    around, _ = read_files([folder for path in wanted for folder in tree_around(path)], Path())
    inspection = inspect(around | texts, os.environ, SystemClock().now(), unreadable, undefined=Severity.WARNING)
    if inspection.config is None:
        sys.stderr.write(as_text(inspection.problems, colour=sys.stderr.isatty()))
        sys.stderr.write(f"{tally(inspection.problems)}; nothing was exported\n")
        raise typer.Exit(2 if any(problem.check == "file/unreadable" for problem in inspection.problems) else 1)
    text, notes = export(inspection.config, set(texts))
    sys.stdout.write(text)
    sys.stdout.flush()
    for note in notes:
        sys.stderr.write(f"{note}\n")


def _parts(path: Path) -> tuple[Path, ...]:
    """Return what a path stands for: a folder that holds a tree for the tree's folders."""
    tree = tree_around(path)
    return tree if tree and tree[0].parent == path.absolute() else (path,)
