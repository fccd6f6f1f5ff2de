"""`sentinel check`: what is wrong in YAML, before it is committed."""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli import Misused
from sentinel.config.render import as_dict, as_text, tally
from sentinel.core.clock import SystemClock
from sentinel.core.problem import near
from sentinel.core.quantity import parse_duration
from sentinel.core.severity import Severity
from sentinel.lint.context import RETENTION
from sentinel.lint.examine import Setting
from sentinel.lint.survey import FOLDERS, Survey, survey


class Format(StrEnum):
    """In which form problems are written."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"
    JUNIT = "junit"


class FailOn(StrEnum):
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
        FailOn | None, typer.Option("--fail-on", help="Let it fail from this severity on; default error.")
    ] = None,
    online: Annotated[bool, typer.Option("--online", help="Ask servers too: do runbooks' addresses answer?")] = False,
    explain: Annotated[str | None, typer.Option("--explain", metavar="NAME", help="Print the page of a check.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="List every check.")] = False,
) -> None:
    """Say everything that is wrong in YAML files, each with its place, why it matters, and a proposal.

    The tree around the files (the nearest folder that holds probes, rules or notifiers) is read for what they name.
    A comment `# sentinel: ignore NAME until 2026-12-01 because …` above a rule, or behind a line, suppresses a check.
    Exit code 0: well, or warnings only; 1: something is wrong; 2: a path cannot be read.
    """
    if explain is not None:
        _explain(explain)
        return
    if listing:
        _list()
        return
    limit = Severity.of(fail_on or (FailOn.WARNING if strict else FailOn.ERROR))
    setting = Setting(os.environ, SystemClock().now(), retention=_retention(), online=online)
    found = survey(paths or _own_tree(), setting)
    _write(found, output, limit)
    if output is not Format.JSON:
        for note in _notes(found):
            sys.stderr.write(f"note: {note}\n")
    raise typer.Exit(_exit_code(found, limit))


def _write(found: Survey, output: Format, limit: Severity) -> None:
    verdict = _verdict(found)
    match output:
        case Format.TEXT:
            sys.stdout.write(as_text(found.problems, colour=sys.stdout.isatty()) + f"{verdict}\n")
        case Format.JSON:
            from sentinel.cli.output import print_json

            problems = [as_dict(problem) for problem in found.problems]
            print_json({"files": found.files, "problems": problems, "notes": _notes(found)})
        case Format.GITHUB:
            from sentinel.lint.formats.github import as_github, as_summary

            sys.stdout.write(as_github(found.problems) + f"{verdict}\n")
            if path := os.environ.get("GITHUB_STEP_SUMMARY"):
                with Path(path).open("a", encoding="utf-8") as summary:
                    summary.write(as_summary(found.problems, verdict))
        case Format.SARIF:
            from sentinel.lint.formats.sarif import as_sarif

            sys.stdout.write(as_sarif(found.problems))
        case Format.JUNIT:
            from sentinel.lint.formats.junit import as_junit

            sys.stdout.write(as_junit(found.problems, found.texts, limit))


def _explain(name: str) -> None:
    from sentinel.lint.page import names, page

    try:
        found = page(name)
    except KeyError:
        fix = near(name, set(names()))
        raise Misused(f'no check is named "{name}"' + (f"; {fix}" if fix else "; --list lists them")) from None
    sys.stdout.write(f"{found.text}\n\nSeverity\n    {found.severity}, unless `policy:` says otherwise.\n")


def _list() -> None:
    from sentinel.lint.page import names, page

    width = max(map(len, names()))
    for name in names():
        known = page(name)
        sys.stdout.write(f"{name:{width}}  {known.severity:<7}  {known.says}\n")


def _own_tree() -> list[Path]:
    from sentinel.settings import load_settings

    return list(load_settings().paths)


def _retention() -> timedelta:
    """Return how long the agent keeps samples; its other settings need not be well for a check."""
    try:
        return parse_duration(os.environ.get("SENTINEL_RETENTION", "")) or RETENTION
    except ValueError:
        return RETENTION


def _exit_code(found: Survey, limit: Severity) -> int:
    if found.unreadable:
        return 2
    return 1 if any(problem.severity >= limit for problem in found.problems) else 0


def _verdict(found: Survey) -> str:
    files = f"{found.files} file{'s' if found.files != 1 else ''}"
    counted = tally(found.problems)
    suppressed = f", {found.suppressed} suppressed" if found.suppressed else ""
    return f"{counted} in {files}{suppressed}" if counted else f"{files} checked, nothing wrong{suppressed}"


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
