"""`sentinel test`: whether rules and routes do what their tests say, without waiting."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from sentinel.cli import Misused
from sentinel.core.clock import SystemClock
from sentinel.core.problem import Problem

#: So many problems of a tree are shown: they are what `sentinel check` is for.
_MOST = 10


class ResultFormat(StrEnum):
    """In which form results are printed."""

    TEXT = "text"
    JSON = "json"
    JUNIT = "junit"


def rehearse(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(help="Files and folders; without any, the agent's own tree.", show_default=False),
    ] = None,
    run: Annotated[
        str, typer.Option("--run", metavar="REGEX", help="Only tests whose name has this.", show_default=False)
    ] = "",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Name the tests that pass, too.")] = False,
    output: Annotated[
        ResultFormat, typer.Option("--format", help="Print for people, for programs, or for build servers.")
    ] = ResultFormat.TEXT,
) -> None:
    """Run the tests under `tests:`, and those that promtool reads, on a clock that is pushed.

    The tree around the files is read for what they name. Nothing is looked at, and nobody is told.
    Exit code 0: all passed; 1: one failed, or something is wrong in a file; 2: a path cannot be read, or no test has
    that name.
    """
    from sentinel.rehearsal.find import find
    from sentinel.rehearsal.result import as_json, as_junit, lines_of, summary
    from sentinel.rehearsal.run import run as run_tests

    clock = SystemClock()
    began, colour = clock.monotonic(), sys.stdout.isatty()
    wanted = _pattern(run)
    plans = list(find(paths or _own_tree(), os.environ, clock.now(), Path(), wanted))
    problems = [problem for plan in plans for problem in plan.problems]
    results = []
    for result in (result for plan in plans for result in run_tests(plan, Path(), wanted)):
        results.append(result)
        if output is ResultFormat.TEXT and (verbose or not result.passed):
            sys.stdout.write(lines_of(result, colour=colour))
    match output:
        case ResultFormat.JSON:
            sys.stdout.write(as_json(results, problems) + "\n")
        case ResultFormat.JUNIT:
            sys.stdout.write(as_junit(results, problems) + "\n")
        case ResultFormat.TEXT:
            _say_what_is_wrong(problems, colour=colour)
            if results or not problems:
                sys.stdout.write(f"{summary(results, clock.monotonic() - began)}\n")
    if any(plan.unreadable for plan in plans):
        raise typer.Exit(2)
    if run and not results and not problems:
        raise Misused(f'no test has "{run}" in its name')
    raise typer.Exit(1 if problems or not all(result.passed for result in results) else 0)


def _say_what_is_wrong(problems: Sequence[Problem], *, colour: bool) -> None:
    from sentinel.config.render import as_text, tally

    sys.stdout.write(as_text(problems[:_MOST], colour=colour))
    if len(problems) > _MOST:
        sys.stdout.write(f"and {len(problems) - _MOST} more: see sentinel check\n")
    if problems:
        sys.stdout.write(f"{tally(problems)}: the tests of this tree were not run\n")


def _pattern(text: str) -> re.Pattern[str] | None:
    try:
        return re.compile(text) if text else None
    except re.error as exc:
        raise Misused(f"--run: {text} is not a regular expression: {exc}") from None


def _own_tree() -> list[Path]:
    from sentinel.settings import load_settings

    return list(load_settings().paths)
