"""Systems: what real teams asked for, as trees of theirs. Each rule fires in a case, and is silent before it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sentinel.config.config import Config
from sentinel.config.load import load_texts
from tests.rules.stage import START, HeadStore
from tests.rules.test_cases import Case, play
from tests.texts import read_texts

SYSTEMS = sorted((Path(__file__).parents[1] / "cases" / "systems").glob("*.yaml"))


@cache
def tree_and_cases(path: Path) -> tuple[Config, Mapping[str, Any]]:
    """Load what stands above the line as a tree, and what stands below it as one case for each of its rules."""
    tree, cases = path.read_text().split("\n---\n")
    return load_texts({path.name: tree}, {}, START), read_texts(cases)


def rules() -> list[Any]:
    return [pytest.param(path, name, id=f"{path.stem}: {name}") for path in SYSTEMS for name in tree_and_cases(path)[1]]


@pytest.mark.parametrize(("path", "name"), rules())
def test_what_a_team_wants_to_hear_of_is_one_rule_that_fires(path: Path, name: str) -> None:
    config, cases = tree_and_cases(path)
    assert any(cases[name]["expect"].values())
    play(Case(cases[name], config.rules[name]), HeadStore)


@pytest.mark.parametrize("path", SYSTEMS, ids=lambda path: path.stem)
def test_each_rule_of_a_team_has_a_case(path: Path) -> None:
    config, cases = tree_and_cases(path)
    assert set(cases) == {rule.name for rule in config.own_rules}
    assert not config.problems
