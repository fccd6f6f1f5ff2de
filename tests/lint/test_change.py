"""`--diff` tells what a change in git brought in: on the lines that it touched, and what it broke elsewhere."""

from __future__ import annotations

import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.lint.change import CannotCompare
from sentinel.lint.examine import Setting
from sentinel.lint.survey import survey

PROBES = "probes:\n  shop: {http: {url: https://shop.example.com/health, metrics: {queue_depth: depth}}}\n"
RULES = (
    "rules:\n  deep: {last: queue_depth, above: 5, severity: error, for: 45s}\n  any: {probe: shop, severity: error}\n"
)


def git(*words: str) -> None:
    """Run git here."""
    named = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *named, *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree with one old problem, committed."""
    monkeypatch.chdir(tmp_path)
    for folder, text in (("probes", PROBES), ("rules", RULES)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.yaml").write_text(text)
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    return tmp_path


def told(since: str = "HEAD") -> set[str]:
    """Return what is told, as check and place."""
    found = survey([Path()], Setting({}, datetime(2026, 11, 30, tzinfo=UTC)), since=since)
    return {f"{problem.check} {problem.position.file}:{problem.position.line}" for problem in found.problems}


def test_what_was_there_before_is_not_told(repository: Path) -> None:
    """Also where lines above it were added."""
    assert told() == set()
    (repository / "rules" / "a.yaml").write_text("# a comment\n\n" + RULES)
    assert told() == set()


def test_a_new_file_and_a_touched_line_are_told(repository: Path) -> None:
    """An untracked file is new as a whole."""
    (repository / "rules" / "b.yaml").write_text("rules:\n  odd: {last: queue_depth, above: 5, for: 5}\n")
    (repository / "rules" / "a.yaml").write_text(RULES.replace("above: 5,", "above: 6,"))
    assert told() == {"rule/invalid rules/b.yaml:2", "rule/for-too-short rules/a.yaml:2"}


def test_what_a_change_breaks_elsewhere_is_told(repository: Path) -> None:
    """The rule was not touched; the metric that it reads was."""
    (repository / "probes" / "a.yaml").write_text(PROBES.replace("queue_depth", "queue_length"))
    assert told() == {"rule/unknown-metric rules/a.yaml:2"}


def test_what_is_gone_is_missed_where_it_was_needed(repository: Path) -> None:
    """Also where its folder is gone with it."""
    git("rm", "-q", "probes/a.yaml")
    assert told() == {"rule/invalid rules/a.yaml:3"}


def test_a_file_that_moved_brings_in_nothing(repository: Path) -> None:
    """What stands on a line that was changed on the way does."""
    git("mv", "rules/a.yaml", "rules/b.yaml")
    assert told() == set()
    (repository / "rules" / "b.yaml").write_text(RULES.replace("for: 45s", "for: 50s"))
    assert told() == {"rule/for-too-short rules/b.yaml:2"}


def test_a_branch_is_compared_with_where_it_left(repository: Path) -> None:
    """What others did meanwhile is not its doing."""
    git("checkout", "-qb", "mine")
    git("checkout", "-q", "main")
    (repository / "rules" / "a.yaml").write_text(RULES.replace(", for: 45s", ""))
    git("commit", "-qam", "theirs")
    git("checkout", "-q", "mine")
    assert told("main") == set()


def test_a_revision_that_is_not_there_is_said(repository: Path) -> None:
    """With git's own words."""
    with pytest.raises(CannotCompare, match="git rev-parse"):
        told("no-such-branch")


def test_a_name_that_is_no_text_hinders_nothing(repository: Path) -> None:
    """Neither one with the end of a line in it, nor one that is not UTF-8; the latter is a problem by itself."""
    for name in (b"two\nlines.yaml", b"caf\xe9.yaml"):
        (repository / "rules" / os.fsdecode(name)).write_text("rules: {}\n")
    git("add", ".")
    git("commit", "-qm", "odd names")
    assert told() == {"file/text rules/caf?.yaml:1"}
