"""The kind `coverage`, on reports as tools write them, from files and by URL; and what `junit` shares with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.coverage import Coverage
from sentinel.probes.junit import Junit
from tests.probes.looking import look, value
from tests.probes.servers import says, served

COBERTURA = """<?xml version="1.0"?><!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage line-rate="0.1"><packages><package><classes>
<class filename="shop/cart.py"><lines><line number="1" hits="3"/><line number="2" hits="0"/>
<line number="3" hits="1" branch="true" condition-coverage="50% (1/2)"/></lines></class>
<class filename="shop/pay.py"><lines><line number="1" hits="0"/></lines></class>
</classes></package></packages></coverage>"""
JACOCO = """<report name="shop"><package name="shop"><sourcefile name="cart.java">
<counter type="LINE" missed="1" covered="2"/><counter type="BRANCH" missed="1" covered="1"/></sourcefile>
<sourcefile name="pay.java"><counter type="LINE" missed="1" covered="0"/></sourcefile></package></report>"""
LCOV = """TN:
SF:shop/cart.js
DA:1,3
DA:2,0
DA:3,1
BRDA:3,0,0,1
BRDA:3,0,1,-
end_of_record
SF:shop/pay.js
DA:1,0
end_of_record
"""
COVERAGE_PY = json.dumps(
    {
        "files": {
            "shop/cart.py": {
                "summary": {"num_statements": 3, "covered_lines": 2, "num_branches": 2, "covered_branches": 1}
            },
            "shop/pay.py": {"summary": {"num_statements": 1, "covered_lines": 0}},
        }
    }
)


def coverage(**keys: Any) -> Coverage:
    return Coverage.model_validate(keys)


def written(folder: Path, content: str | bytes) -> str:
    path = folder / "report"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return str(path)


@pytest.mark.parametrize("content", [COBERTURA, JACOCO, LCOV, COVERAGE_PY, "\ufeff" + COBERTURA])
async def test_each_form_says_the_same(tmp_path: Path, content: str) -> None:
    """Lines and branches, added up file by file, whatever the totals on top say."""
    ended = await look(coverage(path=written(tmp_path, content)))
    assert ended.success, ended.words
    names = ("lines", "covered_lines", "line_ratio", "branches", "covered_branches", "branch_ratio")
    assert [value(ended, f"probe_coverage_{name}") for name in names] == [4, 2, 0.5, 2, 1, 0.5]
    assert value(ended, "probe_coverage_report_timestamp_seconds") > 0


async def test_too_little_is_told_with_the_files_that_lack_most(tmp_path: Path) -> None:
    """Lines and branches, each against its own share."""
    path = written(tmp_path, LCOV)
    ended = await look(coverage(path=path, expect={"lines": "90%", "branches": "50%"}))
    assert ended.reason == "expect"
    assert ended.words == (
        "50% of 4 lines reached, expected at least 90%: shop/cart.js (1 missing), shop/pay.js (1 missing)"
    )
    assert [verdict.key for verdict in ended.verdicts if not verdict.words] == ["branches"]
    ended = await look(coverage(path=written(tmp_path, "SF:a\nDA:1,1\nend_of_record\n"), expect={"branches": "1%"}))
    assert ended.words == "the report tells of no branches, expected at least 1% of branches reached"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not XML: no element found"),
        ("SF:a\nDA:1", "tells of no lines at all"),
        ("<testsuite/>", "is no report of coverage: it begins with <testsuite>"),
        ("<coverage>", "is not XML"),
        ("<coverage/>", "tells of no lines at all"),
        ('{"files": []}', "is no report of coverage of coverage.py"),
        ('{"files": {"a": {}}}', "is no report of coverage of coverage.py"),
        ('{"files": ', "not JSON"),
        (b"\xff\xfe\0", "is not XML"),
        ('<!DOCTYPE x [<!ENTITY a "aa">]><coverage>&a;</coverage>', "defines entities"),
    ],
)
async def test_what_is_no_report_is_told(tmp_path: Path, content: str | bytes, words: str) -> None:
    """Truncated, of another kind, or meant to unfold to gigabytes."""
    ended = await look(coverage(path=written(tmp_path, content)))
    assert ended.reason in ("error", "expect")
    assert words in ended.words


async def test_a_report_by_url() -> None:
    """Asked for as http does; `Last-Modified` says when it was written."""
    written = {"Last-Modified": "Sun, 01 Mar 2026 12:00:00 GMT"}
    async with served(says(LCOV, headers=written)) as port:
        ended = await look(coverage(http=f"http://127.0.0.1:{port}/lcov"))
        assert (ended.words, value(ended, "probe_coverage_lines")) == ("", 4)
        assert value(ended, "probe_coverage_report_timestamp_seconds") == 1_772_366_400
    async with served(says("gone", 404)) as port:
        ended = await look(Coverage.model_validate(f"http://127.0.0.1:{port}"))
        assert ended.reason == "status"
        assert ended.words.startswith('status is 404, expected 2xx: "gone" (127.0.0.1:')
    async with served(says("", 403)) as port:
        assert (await look(coverage(http=f"http://127.0.0.1:{port}"))).reason == "auth"
    async with served(says("<testsuite/>")) as port:
        keys = {"http": {"url": f"http://127.0.0.1:{port}", "headers": {"A": "b"}}}
        ended = await look(Junit.model_validate(keys))
        assert (ended.success, value(ended, "probe_junit_tests")) == (True, 0)


@pytest.mark.parametrize("keys", [{}, {"path": "a", "http": "http://a"}])
def test_a_report_has_one_place(keys: dict[str, str]) -> None:
    """A path or a URL."""
    with pytest.raises(ValidationError, match="needs a path or http, one of them"):
        coverage(**keys)
