"""Render: problems as people read them in a terminal, in a log, or as JSON.

error[probe/invalid]: port: should be at most 65535
--> probes/db.yaml:3:25
|
3 |     tcp: {host: db, port: 99999}
|                           ^^^^^
= write a smaller one
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sentinel.core.problem import Problem
from sentinel.core.severity import Severity

_LONGEST_LINE = 160
_LONGEST_NOTE = 1000
#: So many problems a person is shown at once.
MOST_SHOWN = 1000
_BOLD, _RED, _YELLOW, _BLUE, _PLAIN = "\x1b[1m", "\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[0m"


def as_text(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """Write problems with source lines and carets; "" where there are none."""
    listed = list(problems)
    more = f"{len(listed) - MOST_SHOWN:,} more are not shown\n" if len(listed) > MOST_SHOWN else ""
    return "".join(_block(problem, colour) for problem in listed[:MOST_SHOWN]) + more


def as_line(problem: Problem) -> str:
    """Write a problem in one line, for a log."""
    return f"{problem.severity}[{problem.check}] {problem}"


def as_json(problems: Iterable[Problem]) -> str:
    """Write problems as a JSON array, one object each."""
    return json.dumps([as_dict(problem) for problem in problems], ensure_ascii=False, indent=2)


def as_dict(problem: Problem) -> dict[str, Any]:
    """Return a problem as plain values; "" is left out."""
    position = problem.position
    found = {
        "check": problem.check,
        "severity": str(problem.severity),
        "file": position.file,
        "line": position.line,
        "column": position.column,
        "width": position.width,
        "says": problem.says,
        "fix": problem.fix,
        "why": problem.why,
        "excerpt": shortened(problem),
    }
    return {name: value for name, value in found.items() if value != ""}


def tally(problems: Sequence[Problem]) -> str:
    """Return how many errors, warnings and notes there are: `2 errors, 1 warning`; "" for none."""
    errors = sum(problem.severity >= Severity.ERROR for problem in problems)
    warnings = sum(problem.severity == Severity.WARNING for problem in problems)
    counts = ((errors, "error"), (warnings, "warning"), (len(problems) - errors - warnings, "note"))
    return ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count)


def shortened(problem: Problem) -> str:
    """Return the source line, or of one that is very long the part around what is meant."""
    return problem.excerpt if len(problem.excerpt) <= _LONGEST_NOTE else _pointed(problem)[0]


def _block(problem: Problem, colour: bool) -> str:
    paint = _painted if colour else _unpainted
    alarming = _RED if problem.severity >= Severity.ERROR else _YELLOW
    head = paint(alarming, f"{problem.severity}[{problem.check}]") + paint(_BOLD, f": {_short(problem.says)}")
    lines = [head]
    number = str(problem.position.line)
    margin = " " * (len(number) + 1)
    at = problem.position if problem.excerpt or problem.position.line > 1 else problem.position.file
    lines.append(f"{margin}{paint(_BLUE, '-->')} {at}")
    if problem.excerpt.strip():
        excerpt, carets = _pointed(problem)
        bar = paint(_BLUE, "|")
        lines += [
            f"{margin} {bar}",
            f" {paint(_BLUE, number)} {bar} {excerpt}",
            f"{margin} {bar} {paint(alarming, carets)}",
        ]
    lines += [f"{margin} {paint(_BLUE, '=')} {note}" for note in _notes(problem)]
    return "\n".join(lines) + "\n"


def _notes(problem: Problem) -> list[str]:
    return [_short(note) for note in (problem.fix, f"why: {problem.why}" if problem.why else "") if note]


def _short(text: str) -> str:
    """Return a sentence, cut in its middle where a value in it is as long as a file."""
    return text if len(text) <= _LONGEST_NOTE else f"{text[: _LONGEST_NOTE // 2]} … {text[-_LONGEST_NOTE // 2 :]}"


def _pointed(problem: Problem) -> tuple[str, str]:
    """Return the source line as it is shown, and carets under the part that is meant."""
    line, column, width = problem.excerpt, problem.position.column - 1, problem.position.width
    cut = max(0, column - _LONGEST_LINE // 2) if len(line) > _LONGEST_LINE else 0
    shown = line[cut : cut + _LONGEST_LINE]
    before, meant = shown[: column - cut], shown[column - cut : column - cut + width]
    marks = ("…" if cut else ""), ("…" if cut + _LONGEST_LINE < len(line) else "")
    excerpt = f"{marks[0]}{_printable(shown)}{marks[1]}"
    return excerpt, " " * (len(marks[0]) + _columns(before)) + "^" * max(1, _columns(meant))


def _printable(text: str) -> str:
    """Return a text that cannot steer a terminal, tabs as one blank so that carets stay in step."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if character == "\t" else character if character.isprintable() else "�" for character in text)


def _columns(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def _painted(colour: str, text: str) -> str:
    return f"{colour}{text}{_PLAIN}"


def _unpainted(_colour: str, text: str) -> str:
    return text
