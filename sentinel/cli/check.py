"""`sentinel check`: what is wrong in YAML, before it is committed."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli.checking import Options, run


class Format(StrEnum):
    """In which form problems are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


class Limit(StrEnum):
    """From which severity on a problem lets the check fail."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; without any, the agent's own tree.", show_default=False),
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="For people, for programs, for GitHub, for code scanning, as tests.")
    ] = Format.TEXT,
    strict: Annotated[bool, typer.Option("--strict", help="Let warnings fail it, too.")] = False,
    fail_on: Annotated[
        Limit | None, typer.Option("--fail-on", help="Let it fail from this severity on; default error.")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Ask servers too: do runbooks' addresses answer?")] = False,
    explain: Annotated[str | None, typer.Option("--explain", metavar="NAME", help="Print the page of a check.")] = None,
    diff: Annotated[
        str | None, typer.Option("--diff", metavar="REVISION", help="Tell only what was brought in since then, by git.")
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Mend what is mechanical, and tell the rest.")] = False,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Look at every file again, and remember none.")] = False,
    listing: Annotated[bool, typer.Option("--list", help="List every check.")] = False,
) -> None:
    """Say everything that is wrong in YAML files, each with its place, why it matters, and a proposal.

    The tree around the files (the nearest folder that holds probes, rules or notifiers) is read for what they name.
    A comment `# sentinel: ignore NAME until 2026-12-01 because …` above a rule, or behind a line, suppresses a check.
    Exit code 0: well, or warnings only; 1: something is wrong; 2: a path cannot be read.
    """
    options = Options(
        tuple(paths or ()),
        str(output),
        strict,
        str(fail_on) if fail_on else None,
        online,
        explain,
        listing,
        no_cache,
        diff,
        fix,
    )
    raise typer.Exit(run(options))
