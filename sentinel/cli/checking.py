"""Checking: what `sentinel check` does once its arguments are read, by Typer or without it."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sentinel.cli import Misused
from sentinel.config.files import FOLDERS
from sentinel.config.render import as_dict, as_text, tally
from sentinel.core.clock import SystemClock
from sentinel.core.problem import near
from sentinel.core.quantity import parse_duration
from sentinel.core.severity import Severity
from sentinel.lint.change import CannotCompare
from sentinel.lint.context import RETENTION
from sentinel.lint.examine import Reporter, Setting
from sentinel.lint.survey import Survey, survey

#: In which form problems are written.
FORMATS = ("text", "json", "github", "sarif", "junit")
#: From which severity on problems can let it fail.
LIMITS = ("info", "warning", "error")
#: What is mended can show what else is wrong: a key that was misspelt, and then its value.
_ROUNDS = 5


class Options(NamedTuple):
    """The arguments of `sentinel check`, each as the option of its name."""

    paths: tuple[Path, ...] = ()
    format: str = "text"
    strict: bool = False
    fail_on: str | None = None
    online: bool = False
    explain: str | None = None
    list: bool = False
    no_cache: bool = False
    diff: str | None = None
    fix: bool = False


def run(options: Options) -> int:
    """Check, write what is found, and return the exit code."""
    if options.explain is not None:
        _explain(options.explain)
        return 0
    if options.list:
        _list()
        return 0
    limit = Severity.of(options.fail_on or ("warning" if options.strict else "error"))
    setting = Setting(os.environ, SystemClock().now(), retention=_retention(), online=options.online)
    paths, reporter = options.paths or _own_tree(), _reporter(cache=not options.no_cache)
    look = partial(survey, paths, setting, reporter, options.diff or "")
    try:
        found = look()
    except CannotCompare as exc:
        raise Misused(str(exc)) from None
    if options.fix:
        found = _mended(found, look)
    _write(found, options.format, limit)
    if options.format != "json":
        for note in _notes(found):
            sys.stderr.write(f"note: {note}\n")
    return _exit_code(found, limit)


def _reporter(*, cache: bool) -> Reporter:
    """Return what looks at rule files: on all processors, with a memory unless there is no place for it."""
    from sentinel.lint.crowd import Spread, processors

    spread = Spread(processors())
    if not cache:
        return spread.reports
    from sentinel.lint.memory import Memory, folder_of

    folder = folder_of(os.environ)
    return Memory(folder, spread) if folder is not None else spread.reports


def _mended(found: Survey, look: Callable[[], Survey]) -> Survey:
    """Write the files in which something can be mended, say so, and return what is left."""
    from sentinel.lint.mend import mend

    places: Counter[str] = Counter()
    for _ in range(_ROUNDS):
        edits = [(problem.position.file, problem.edit) for problem in found.problems if problem.edit]
        for path in dict.fromkeys(file for file, _ in edits):
            mended, count = mend(found.texts[path], [edit for file, edit in edits if file == path])
            _rewrite(Path(path), mended)
            places[path] += count
        if not edits:
            break
        found = look()
    for path, count in places.items():
        sys.stderr.write(f"mended {path} in {count} place{'s' if count != 1 else ''}\n")
    return found


def _rewrite(path: Path, text: str) -> None:
    from sentinel.config.files import rewrite

    try:
        rewrite(path, text)
    except OSError as exc:
        raise Misused(f"{path} cannot be written: {(exc.strerror or str(exc)).lower()}") from None


def _write(found: Survey, output: str, limit: Severity) -> None:
    verdict = _verdict(found)
    match output:
        case "text":
            sys.stdout.write(as_text(found.problems, colour=sys.stdout.isatty()) + f"{verdict}\n")
        case "json":
            import json

            problems = [as_dict(problem) for problem in found.problems]
            whole = {"files": found.files, "problems": problems, "notes": _notes(found)}
            sys.stdout.write(json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
        case "github":
            from sentinel.lint.formats.github import as_github, as_summary

            sys.stdout.write(as_github(found.problems) + f"{verdict}\n")
            if path := os.environ.get("GITHUB_STEP_SUMMARY"):
                with Path(path).open("a", encoding="utf-8") as summary:
                    summary.write(as_summary(found.problems, verdict))
        case "sarif":
            from sentinel.lint.formats.sarif import as_sarif

            sys.stdout.write(as_sarif(found.problems))
        case "junit":
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
