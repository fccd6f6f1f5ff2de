"""Each check's page is true: what it calls bad is found, what it calls good is not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sentinel.core.severity import Severity
from sentinel.lint import CHECKS
from sentinel.lint.page import loaded, names, page
from tests.lint.examples import found

ROOT = Path(__file__).parents[2]
#: What is found about paths, by asking servers, and by the agent: no example in YAML shows it.
WITHOUT_EXAMPLE = (
    "file/text",
    "file/unreadable",
    "file/none",
    "config/empty",
    "test/failed",
    "rule/runbook-unreachable",
)
WITH_EXAMPLE = [name for name in names() if name not in WITHOUT_EXAMPLE]


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_a_page_is_whole(name: str) -> None:
    """Name, one line, a reason, and an example of each kind."""
    known = page(name)
    assert known.name == name
    assert known.says.endswith(".")
    assert {"Why", "Bad", "Good"} <= known.parts.keys()


@pytest.mark.parametrize("name", WITH_EXAMPLE)
def test_what_is_bad_is_found_and_what_is_good_is_not(name: str, tmp_path: Path) -> None:
    """The bad example has the problem, the good one neither that nor any error."""
    known = page(name)
    assert name in {problem.check for problem in found(known.parts["Bad"], tmp_path / "bad")}
    good = found(known.parts["Good"], tmp_path / "good")
    assert not [problem for problem in good if problem.check == name or problem.severity >= Severity.ERROR]


def test_no_check_has_the_name_of_what_the_loader_finds() -> None:
    """One name, one page."""
    assert not CHECKS & loaded().keys()


def test_everything_that_the_loader_finds_has_a_page() -> None:
    """Every name that stands in the code."""
    code = "".join(path.read_text() for path in (ROOT / "sentinel" / "config").glob("*.py"))
    written = set(
        re.findall(r'"((?:file|config|defaults|group|probe|rule|notifier|route|mute|inhibit|schedule)/[a-z-]+)"', code)
    )
    assert len(written) > 20
    assert written <= loaded().keys()
    for what in re.findall(r'f"{[\w.]*what}/([a-z-]+)"', code):
        assert any(name.endswith(f"/{what}") for name in loaded()), what
