"""github: problems as annotations of a pull request, and the whole list for the step's summary.

GitHub shows the first ten errors and the first ten warnings of a step, and counts notices apart; what is beyond is in
the summary, so that nothing is lost.
https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from sentinel.core.problem import Problem
from sentinel.core.severity import Severity

#: How many annotations of one level GitHub shows for a step.
SHOWN = 10
_LEVELS = {Severity.INFO: "notice", Severity.WARNING: "warning", Severity.ERROR: "error", Severity.CRITICAL: "error"}


def as_github(problems: Iterable[Problem]) -> str:
    """Write the annotations that are shown, errors first."""
    return "".join(f"{line}\n" for line in _lines(problems))


def as_summary(problems: Sequence[Problem], verdict: str) -> str:
    """Write all problems as a table in Markdown."""
    if not problems:
        return f"### sentinel check\n\n{verdict}\n"
    rows = [
        f"| {problem.severity} | `{_cell(str(problem.position))}` | {_cell(problem.says)} "
        f"| {_cell(problem.fix)} | {problem.check} |"
        for problem in _gravest_first(problems)
    ]
    head = ["| | where | what | proposal | check |", "|---|---|---|---|---|"]
    return "\n".join(["### sentinel check", "", verdict, "", *head, *rows, ""])


def _lines(problems: Iterable[Problem]) -> Iterator[str]:
    shown: Counter[str] = Counter()
    for problem in _gravest_first(problems):
        level = _LEVELS[problem.severity]
        shown[level] += 1
        if shown[level] <= SHOWN:
            yield _annotation(level, problem)


def _annotation(level: str, problem: Problem) -> str:
    at = problem.position
    places = {
        "file": at.file,
        "line": str(at.line),
        "endLine": str(at.line),
        "col": str(at.column),
        "endColumn": str(at.column + at.width),
        "title": problem.check,
    }
    given = ",".join(f"{name}={_property(value)}" for name, value in places.items())
    message = "\n".join(part for part in (problem.says, problem.fix, problem.why) if part)
    return f"::{level} {given}::{_data(message)}"


def _gravest_first(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (-problem.severity, problem.sort_key))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
