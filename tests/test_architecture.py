"""ARCHITECTURE.md is a map of the code as it is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "ARCHITECTURE.md").read_text()
ROOM_LINES = re.findall(r"^\| (\d) \| `(\w+)/` \|", PAGE, re.MULTILINE)
TYPE_LINES = re.findall(r"^\| (`.+?`) \| .+? \| (`.+?`) \| .* ?\|$", PAGE, re.MULTILINE)


def _words(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def _defined_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / "sentinel" / file).read_text())
    return {
        node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    } | {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_every_room_that_exists_is_on_the_map_and_none_that_does_not() -> None:
    """The table of rooms names exactly the folders of the package that hold code."""
    rooms = {folder.name for folder in (ROOT / "sentinel").iterdir() if (folder / "__init__.py").exists()}
    assert {room for _, room in ROOM_LINES} == rooms


def test_the_lines_of_the_map_are_the_layers_of_the_import_contract() -> None:
    """A room stands on the line on which import-linter keeps it."""
    contract = re.search(r"layers = \[(.*?)\]", (ROOT / "pyproject.toml").read_text(), re.DOTALL)
    assert contract
    layers = [re.findall(r"\w+", layer) for layer in re.findall(r'"([^"]+)"', contract[1])]
    heights = {room: len(layers) - at for at, layer in enumerate(layers) for room in layer}
    assert {room: int(line) for line, room in ROOM_LINES} == {room: heights[room] for _, room in ROOM_LINES}


@pytest.mark.parametrize(("types", "files"), TYPE_LINES, ids=[types for types, _ in TYPE_LINES])
def test_every_type_lives_where_the_map_says(types: str, files: str) -> None:
    """Each word of a row's first cell is defined in one of the files of its third."""
    defined = {name for file in _words(files) for name in _defined_in(file)}
    assert set(_words(types)) <= defined


def test_the_map_is_not_empty() -> None:
    """The patterns above still find the tables."""
    assert len(ROOM_LINES) >= 14
    assert len(TYPE_LINES) >= 30
