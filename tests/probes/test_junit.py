"""The kind `junit`, on reports as test runners write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sentinel.probes.junit import Junit
from tests.probes.looking import look, value

WELL = '<testsuite name="shop"><testcase classname="cart" name="adds" time="0.5"/></testsuite>'
BROKEN = """<?xml version="1.0"?><testsuites tests="99"><testsuite name="web">
<testcase classname="web.page" name="opens" time="1,000.5"><failure message="no">trace</failure></testcase>
<testcase classname="web.page" name="closes"><error/></testcase>
<testcase name="later" time="?"><skipped/></testcase></testsuite></testsuites>"""


def written(folder: Path, content: str, name: str = "a.xml") -> str:
    (folder / name).write_text(content)
    return str(folder / name)


async def test_reports_are_added_up(tmp_path: Path) -> None:
    """By their cases, whatever the totals on top say; the first that failed are named."""
    written(tmp_path, WELL)
    written(tmp_path, BROKEN, "b.xml")
    ended = await look(Junit(path=f"{tmp_path}/*.xml"))
    assert (ended.reason, ended.words) == ("expect", '2 of 4 tests failed: "web.page.opens, web.page.closes"')
    found = [value(ended, f"probe_junit_{what}") for what in ("tests", "failures", "errors", "skipped")]
    assert found == [4, 1, 1, 1]
    assert value(ended, "probe_junit_duration_seconds") == 1001
    assert [value(ended, "probe_junit_suite_failures", suite=suite) for suite in ("shop", "web")] == [0, 2]
    assert (await look(Junit(path=f"{tmp_path}/*.xml", fail_on_failures=False))).success
    assert (await look(Junit(path=f"{tmp_path}/a.xml"))).success


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("<testsuite>", "is not XML: no element found"),
        ("<coverage/>", "is no report of tests: it begins with <coverage>"),
        ('<!DOCTYPE x [<!ENTITY a "aa">]><testsuite>&a;</testsuite>', "defines entities"),
        ("", "is not XML"),
    ],
)
async def test_what_is_no_report_is_told(tmp_path: Path, content: str, words: str) -> None:
    """Truncated, of another kind, or meant to unfold to gigabytes."""
    ended = await look(Junit(path=written(tmp_path, content)))
    assert ended.reason == "error"
    assert words in ended.words


async def test_a_report_that_is_not_there_is_told(tmp_path: Path) -> None:
    """A file by its name, a pattern by what it finds."""
    assert (await look(Junit(path=f"{tmp_path}/none.xml"))).words == f"{tmp_path}/none.xml: no such file or directory"
    assert (
        await look(Junit(path=f"{tmp_path}/*.xml"))
    ).words == f"{tmp_path}/*.xml finds 0 reports, expected 1 to 1,000"
