"""Trees of a test's own, played in memory."""

from __future__ import annotations

from datetime import UTC, datetime

from sentinel.config.config import Config
from sentinel.config.load import inspect
from sentinel.config.render import as_text
from sentinel.core.severity import Severity
from sentinel.rehearsal.judge import judge

NOW = datetime(2026, 11, 30, tzinfo=UTC)


def tree(text: str, file: str = "shop.yaml") -> Config:
    """Read a tree of one file, as `sentinel test` does: without what the environment should define."""
    found = inspect({file: text}, {}, NOW, undefined=Severity.WARNING, stand_ins=True)
    assert found.config is not None, as_text(found.problems)
    return found.config


def verdicts(text: str) -> dict[str, list[str]]:
    """Play each test of a tree; return what is wrong with each."""
    config = tree(text)
    return {name: [one.problem.says for one in judge(case, config)] for name, case in config.tests.items()}
