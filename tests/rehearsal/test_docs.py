"""The tests that are shown pass: those of the documentation, and of the example."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sentinel.config.files import read_files
from sentinel.config.load import inspect
from sentinel.core.severity import Severity
from sentinel.rehearsal.run import run_case
from tests.rehearsal.playing import NOW, verdicts

ROOT = Path(__file__).parents[2]
SHOWN = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "testing.md").read_text(), re.DOTALL)


@pytest.mark.parametrize("block", SHOWN, ids=range(len(SHOWN)))
def test_the_tests_of_the_page_pass(block: str) -> None:
    """Each example holds tests, and what they expect is so."""
    found = verdicts(block)
    assert found
    assert not any(found.values()), found


def test_the_tests_of_the_shop_pass() -> None:
    """The worked example's rules do what its tests say."""
    texts, _ = read_files([ROOT / "examples" / "shop"], ROOT)
    config = inspect(texts, {}, NOW, undefined=Severity.WARNING, stand_ins=True).config
    assert config is not None
    results = [run_case(case, config) for case in config.tests.values()]
    assert len(results) > 3
    assert {result.name: result.failures for result in results} == {result.name: () for result in results}
