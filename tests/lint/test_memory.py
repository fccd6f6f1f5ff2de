"""What was said of a rule file is remembered by its content, and said again only of the same content."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sentinel.config.source import SourceFile
from sentinel.lint import memory
from sentinel.lint.crowd import Spread
from sentinel.lint.memory import Memory
from sentinel.lint.onefile import report_on

ROOT = Path(__file__).parents[2]
RULE = """
  # sentinel: ignore alert/comparison until 2026-12-24 because it is being measured
  - alert: Alert{n}
    expr: |
      sum by (job) (
        rate(x_total{{n="{n}"}}[5m])) > 5
    for: {wait}
    labels: {{severity: page, team: "{{{{ $labels.job }}}}"}}
    annotations: {{summary: "{{{{ $value", runbook_url: https://runbooks.example.com/{n}}}
"""


def file(path: str, wait: str = "5m", count: int = 3) -> SourceFile:
    """Return a rule file with mistakes in it."""
    rules = "".join(RULE.format(n=n, wait=wait) for n in range(count))
    return SourceFile(path, f"groups:\n- name: a\n  rules:{rules}")


class Counting(Spread):
    """Says which files it was asked to look at."""

    def __init__(self) -> None:
        super().__init__(1)
        self.seen: list[str] = []

    def data(self, files: Sequence[SourceFile]) -> list[Any]:
        """Note their names."""
        self.seen += [one.path for one in files]
        return super().data(files)


@pytest.fixture(autouse=True)
def _small_is_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "WORTH_KEEPING", 0)


def test_a_report_says_the_same_after_it_was_written_and_read() -> None:
    """Problems, rules and comments, each with its place."""
    one = file("a.yaml", wait="5 minutes")
    report = report_on(one)
    assert report.problems
    assert report.ignores
    again = report.from_data(one, json.loads(json.dumps(report.as_data())))
    assert again.problems == report.problems
    assert again.ignores == report.ignores
    written = [[json.dumps(rule.as_data()) for rule in which.rules] for which in (again, report)]
    assert written[0] == written[1]
    assert [rule.position for rule in again.rules] == [rule.position for rule in report.rules]


def test_only_what_changed_is_looked_at_again(tmp_path: Path) -> None:
    """By content: a file that was changed back is known, one that moved is looked at under its new name."""
    look = Counting()
    remembering = Memory(tmp_path, look)
    first = remembering([file("a.yaml"), file("b.yaml", "1m")])
    assert look.seen == ["a.yaml", "b.yaml"]
    assert [report.problems for report in remembering([file("a.yaml"), file("b.yaml", "1m")])] == [
        report.problems for report in first
    ]
    assert look.seen == ["a.yaml", "b.yaml"]
    remembering([file("a.yaml"), file("b.yaml", "7m")])
    assert look.seen == ["a.yaml", "b.yaml", "b.yaml"]


@pytest.mark.parametrize("spoilt", [b"", b"{", b"[]", b'{"by": "another version", "files": {}}', b"\xff\xfe"])
def test_what_cannot_be_read_is_as_if_it_were_not_there(spoilt: bytes, tmp_path: Path) -> None:
    """It may be deleted, cut or written by another version."""
    look = Counting()
    Memory(tmp_path, look)([file("a.yaml")])
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(spoilt)
    Memory(tmp_path, look)([file("a.yaml")])
    assert look.seen == ["a.yaml", "a.yaml"]


def test_a_place_that_cannot_be_written_is_no_problem(tmp_path: Path) -> None:
    """The check goes on without a memory."""
    (tmp_path / "taken").write_text("")
    assert len(Memory(tmp_path / "taken" / "below", Counting())([file("a.yaml")])) == 1


def test_several_processes_say_what_one_says() -> None:
    """In the order of the files, also where one of them dies; in a process of its own, since it forks."""
    code = """
import json, os
from sentinel.lint import crowd, onefile
from tests.lint.test_memory import file
crowd.WORTH_SHARING = 0
files = [file(f"{n}.yaml", count=n + 1) for n in range(5)]
alone = [crowd.report_on(one).as_data() for one in files]
together = crowd.Spread(3).data(files)
assert json.dumps(together) == json.dumps(alone)
parent, look = os.getpid(), crowd.report_on
crowd.report_on = lambda one: look(one) if os.getpid() == parent else os._exit(1)
assert crowd.Spread(3).reports(files)[4].problems == look(files[4]).problems
print("the same")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "the same\n", done.stderr
