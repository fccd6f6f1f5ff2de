"""junit: problems as a test report, one suite a file, for what shows test results and knows nothing of linters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from xml.sax.saxutils import escape, quoteattr

from sentinel.config.render import shortened
from sentinel.core.problem import Problem
from sentinel.core.severity import Severity


def as_junit(problems: Sequence[Problem], files: Iterable[str], limit: Severity) -> str:
    """Write problems as JUnit's XML.

    Args:
        problems: in the order of their files.
        files: that were looked at; one in which nothing is wrong is a test that passed.
        limit: from which severity on a problem is a failure; one below is told in the output of its test.
    """
    by_file = {file: list(found) for file, found in groupby(problems, key=lambda problem: problem.position.file)}
    suites = [_suite(file, by_file.get(file, []), limit) for file in sorted({*files, *by_file})]
    failures = sum(problem.severity >= limit for problem in problems)
    tests = sum(max(1, len(found)) for found in (by_file.get(file, []) for file in sorted({*files, *by_file})))
    head = f'<testsuites name="sentinel check" tests="{tests}" failures="{failures}" errors="0">'
    return "\n".join(['<?xml version="1.0" encoding="UTF-8"?>', head, *suites, "</testsuites>", ""])


def _suite(file: str, problems: Sequence[Problem], limit: Severity) -> str:
    failures = sum(problem.severity >= limit for problem in problems)
    head = (
        f'  <testsuite name={_attribute(file)} tests="{max(1, len(problems))}" failures="{failures}" errors="0" '
        f'skipped="0" time="0">'
    )
    cases = [_case(file, problem, limit) for problem in problems]
    if not cases:
        cases = [f'    <testcase classname={_attribute(file)} name="sentinel check" time="0"/>']
    return "\n".join([head, *cases, "  </testsuite>"])


def _case(file: str, problem: Problem, limit: Severity) -> str:
    name = f"{problem.check} line {problem.position.line}"
    place = f"classname={_attribute(file)} name={_attribute(name)} file={_attribute(file)}"
    head = f'    <testcase {place} line="{problem.position.line}" time="0">'
    words = _legible(
        "\n".join(part for part in (str(problem.position), shortened(problem), problem.fix, problem.why) if part)
    )
    if problem.severity >= limit:
        kind, says = _attribute(str(problem.severity)), _attribute(problem.says)
        body = f"      <failure type={kind} message={says}>{escape(words)}</failure>"
    else:
        body = (
            f"      <system-out>{escape(_legible(f'{problem.severity}: {problem.says}'))}\n{escape(words)}</system-out>"
        )
    return "\n".join([head, body, "    </testcase>"])


def _attribute(text: str) -> str:
    return quoteattr(_legible(text), {"\n": "&#10;", "\t": "&#9;"})


def _legible(text: str) -> str:
    """Return a text without what XML 1.0 cannot hold."""
    return "".join(
        one if one in "\n\t" or 0x20 <= ord(one) < 0xD800 or 0xE000 <= ord(one) < 0xFFFE or ord(one) > 0xFFFF else "�"
        for one in text
    )
