"""The mistakes that were planted to measure other checkers: each is found, by the check that is meant for it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from sentinel.core.severity import Severity
from sentinel.lint.examine import Setting, examine
from tests.lint.examples import NOW

CASES = yaml.safe_load((Path(__file__).parents[1] / "cases" / "mistakes.yaml").read_text())
GOOD = """
groups:
- name: shop
  rules:
  - alert: Up
    expr: up == 0
    for: 5m
    labels: {severity: critical}
    annotations: {summary: "{{ $labels.instance }} is down", runbook_url: "https://runbooks.example.com/up"}
"""


def found(text: str) -> dict[str, Severity]:
    """Return what is found in a rule file."""
    return {problem.check: problem.severity for problem in examine({"rules.yaml": text}, Setting({}, NOW)).problems}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["mistake"])
def test_each_mistake_is_found(case: dict[str, Any]) -> None:
    """Under its own name."""
    assert case["check"] in found(case["text"])


def test_what_is_well_is_well() -> None:
    """Not even a warning."""
    assert found(GOOD) == {}


def test_promtool_finds_as_many_as_is_said_of_it(tmp_path: Path) -> None:
    """So that the list stays a fair one."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    said = {}
    for at, case in enumerate(CASES):
        file = tmp_path / f"{at}.yaml"
        file.write_text(case["text"].partition("probes:")[0])
        failed = subprocess.run([promtool, "check", "rules", str(file)], capture_output=True).returncode != 0
        said[case["mistake"]] = "fails" if failed else "passes"
    assert said == {case["mistake"]: case["promtool"] for case in CASES}
