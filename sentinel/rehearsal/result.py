"""Results: how tests ended, for people, for programs and for build servers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from sentinel.config.render import as_dict, as_text
from sentinel.core.problem import Problem
from sentinel.core.quantity import format_duration
from sentinel.rehearsal.failure import Failure

_RED, _GREEN, _BOLD, _PLAIN = "\x1b[31m", "\x1b[32m", "\x1b[1m", "\x1b[0m"
#: What XML 1.0 cannot hold, whatever the escape.
_UNSPEAKABLE = {code: "�" for code in range(32) if code not in (9, 10, 13)}


@dataclass(frozen=True, slots=True)
class Result:
    """How one test ended.

    Args:
        name: of the test.
        file: where it stands.
        line: likewise.
        failures: none where it passed.
        seconds: that it took.
        closed: whether it passed only with windows that are closed on the left, as those of Prometheus 2.
    """

    name: str
    file: str
    line: int
    failures: tuple[Failure, ...]
    seconds: float
    closed: bool = False

    @property
    def passed(self) -> bool:
        """Whether all is as it expects."""
        return not self.failures


def lines_of(result: Result, *, colour: bool = False) -> str:
    """Write one result: a line, and below it each failure with its place and what differs."""
    word = _painted(_GREEN, "ok", colour) if result.passed else _painted(_BOLD + _RED, "FAILED", colour)
    text = f"{word} {result.file}:{result.line}  {result.name}\n"
    return text + "".join(_failure(failure, colour) for failure in result.failures)


def summary(results: Sequence[Result], seconds: float) -> str:
    """Return the last line: how many tests passed, failed, and how long it took."""
    failed = sum(not result.passed for result in results)
    files = len({result.file for result in results})
    counted = f"{_count(len(results), 'test')} in {_count(files, 'file')}"
    verdict = f"{failed} failed, {len(results) - failed} passed" if failed else "all passed"
    if closed := sum(result.closed for result in results):
        verdict += f" ({closed} with the windows of Prometheus 2 only)"
    return f"{counted}: {verdict} in {seconds:.2f} s" if results else "no tests"


def as_json(results: Iterable[Result], problems: Iterable[Problem]) -> str:
    """Write results as one JSON object."""
    tests = [
        {
            "name": result.name,
            "file": result.file,
            "line": result.line,
            "passed": result.passed,
            "seconds": round(result.seconds, 4),
            "failures": [_as_dict(failure) for failure in result.failures],
        }
        for result in results
    ]
    failed = sum(not test["passed"] for test in tests)
    found = {
        "passed": len(tests) - failed,
        "failed": failed,
        "tests": tests,
        "problems": [as_dict(problem) for problem in problems],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def as_junit(results: Sequence[Result], problems: Sequence[Problem]) -> str:
    """Write results as JUnit's XML: one suite per file; what is wrong with the files themselves is an error of one."""
    suites = list(_suites(results))
    if problems:
        inner = f'    <testcase name="configuration" classname="configuration" time="0.000">\n{_error(problems)}'
        suites.append(f'  <testsuite name="configuration" tests="1" failures="0" errors="1">\n{inner}  </testsuite>\n')
    failed = sum(not result.passed for result in results)
    head = f'<testsuites tests="{len(results) + bool(problems)}" failures="{failed}" errors="{int(bool(problems))}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{"".join(suites)}</testsuites>'


def _suites(results: Sequence[Result]) -> Iterator[str]:
    for file in dict.fromkeys(result.file for result in results):
        own = [result for result in results if result.file == file]
        failed, seconds = sum(not result.passed for result in own), sum(result.seconds for result in own)
        counts = f'tests="{len(own)}" failures="{failed}" errors="0" time="{seconds:.3f}"'
        cases = "".join(_case(result) for result in own)
        yield f"  <testsuite name={_attribute(file)} {counts}>\n{cases}  </testsuite>\n"


def _case(result: Result) -> str:
    where = f'classname={_attribute(result.file)} file={_attribute(result.file)} line="{result.line}"'
    head = f'    <testcase name={_attribute(result.name)} {where} time="{result.seconds:.3f}"'
    if result.passed:
        return f"{head}/>\n"
    text = _content("".join(_failure(failure, colour=False) for failure in result.failures))
    message = _attribute(result.failures[0].problem.says)
    return f"{head}>\n      <failure message={message}>{text}</failure>\n    </testcase>\n"


def _error(problems: Sequence[Problem]) -> str:
    message = _attribute(problems[0].says)
    return f"      <error message={message}>{_content(as_text(problems))}</error>\n    </testcase>\n"


def _failure(failure: Failure, colour: bool) -> str:
    head = as_text([failure.problem], colour=colour)
    less = [_painted(_RED, f"      - {line}", colour) for line in failure.expected]
    more = [_painted(_GREEN, f"      + {line}", colour) for line in failure.got]
    return head + "".join(f"{line}\n" for line in (*less, *more))


def _as_dict(failure: Failure) -> dict[str, Any]:
    at = {} if failure.at is None else {"at": format_duration(failure.at)}
    return {**as_dict(failure.problem), **at, "expected": list(failure.expected), "got": list(failure.got)}


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number != 1 else ''}"


def _painted(colour: str, text: str, wanted: bool) -> str:
    return f"{colour}{text}{_PLAIN}" if wanted else text


def _attribute(text: str) -> str:
    return quoteattr(text.translate(_UNSPEAKABLE))


def _content(text: str) -> str:
    return escape(text.translate(_UNSPEAKABLE))
