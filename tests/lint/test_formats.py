"""What is written for machines: SARIF that its schema accepts, annotations that GitHub shows, JUnit that parses."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from sentinel.core.problem import Position, Problem
from sentinel.core.severity import Severity
from sentinel.lint.formats.github import as_github, as_summary
from sentinel.lint.formats.junit import as_junit
from sentinel.lint.formats.sarif import as_sarif, fingerprints
from sentinel.lint.page import names
from tests.dice import rolls

#: OASIS's schema of SARIF 2.1.0, rtm.5, as npm's @microsoft/jest-sarif 1.0.0-beta.0 (MIT) carries it.
SCHEMA = Path(__file__).parents[1] / "cases" / "sarif-2.1.0.json"
WORDS = st.text(min_size=1, max_size=20)
PROBLEMS = st.lists(
    st.builds(
        Problem,
        st.sampled_from(names()),
        st.sampled_from(Severity),
        st.builds(Position, st.sampled_from(["rules/a b.yaml", "/etc/x,y.yaml", "ä:1"]), *[st.integers(1, 99)] * 3),
        WORDS,
        st.text(max_size=5),
        excerpt=st.text(max_size=20),
    ),
    max_size=5,
)


@cache
def validator() -> Any:
    """Read the schema once."""
    return Draft4Validator(json.loads(SCHEMA.read_text()))


def problem(
    line: int = 1, severity: Severity = Severity.ERROR, says: str = "is wrong", excerpt: str = "x: 1"
) -> Problem:
    """Return one."""
    return Problem("rule/same", severity, Position("rules/a.yaml", line, 3, 4), says, "mend it", "it matters", excerpt)


@rolls(25)
@given(PROBLEMS)
def test_the_schema_accepts_every_sarif(problems: list[Problem]) -> None:
    """Whatever the words and places are; each result names its rule."""
    written = json.loads(as_sarif(problems))
    validator().validate(written)
    (run,) = written["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [rules[result["ruleIndex"]] for result in run["results"]] == [one.check for one in problems]


def test_a_fingerprint_stays_when_lines_are_added_above() -> None:
    """And tells two problems on lines of the same words apart."""
    assert fingerprints([problem(3)]) == fingerprints([problem(30)])
    assert len(set(fingerprints([problem(3), problem(4)]))) == 2
    assert fingerprints([problem(excerpt="  x:  1")]) == fingerprints([problem()])


def test_github_shows_errors_first_and_the_summary_has_the_rest() -> None:
    """Ten of each level."""
    problems = [problem(n, Severity.WARNING) for n in range(1, 15)] + [problem(n) for n in range(15, 30)]
    shown = as_github(problems).splitlines()
    assert [line.split()[0] for line in shown] == ["::error"] * 10 + ["::warning"] * 10
    assert as_summary(problems, "15 errors").count("rules/a.yaml:") == 29


def test_annotations_are_escaped() -> None:
    """A sentence cannot end an annotation, nor begin another."""
    (line,) = as_github([problem(says="50% of\n::error::x")]).splitlines()
    assert line.startswith(
        "::error file=rules/a.yaml,line=1,endLine=1,col=3,endColumn=7,title=rule/same::50%25 of%0A::error"
    )


@rolls(25)
@given(PROBLEMS)
def test_junit_is_xml_and_counts(problems: list[Problem]) -> None:
    """Whatever characters are in the words; files in which nothing is wrong are tests that passed."""
    problems = sorted(problems, key=lambda one: one.sort_key)
    report = Xml.fromstring(as_junit(problems, ["rules/well.yaml"], Severity.ERROR))
    failures = sum(one.severity >= Severity.ERROR for one in problems)
    assert report.get("failures") == str(failures) == str(len(report.findall(".//failure")))
    assert report.get("tests") == str(len(report.findall(".//testcase"))) == str(len(problems) + 1)


@pytest.mark.parametrize("limit", [Severity.WARNING, Severity.ERROR])
def test_what_is_not_grave_enough_is_no_failure(limit: Severity) -> None:
    """It is told beside the test."""
    report = Xml.fromstring(as_junit([problem(severity=Severity.WARNING)], [], limit))
    assert len(report.findall(".//failure")) == (limit is Severity.WARNING)
    assert len(report.findall(".//system-out")) == (limit is Severity.ERROR)
