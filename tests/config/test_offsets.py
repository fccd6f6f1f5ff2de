"""Offsets: an offset in a value is the same character in the file, however the scalar is written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from sentinel.config.offsets import place
from sentinel.config.source import SourceFile
from sentinel.config.tree import MappingNode, ScalarNode, parse


def scalar_of(text: str) -> ScalarNode:
    """Read the one value of a mapping of one key."""
    root, problems = parse(SourceFile("x.yaml", text))
    assert not problems
    assert isinstance(root, MappingNode)
    (node,) = root.values.values()
    assert isinstance(node, ScalarNode)
    return node


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("expr: sum(up) - wrong(x)\n", id="plain"),
        pytest.param("expr: sum(up)\n  - wrong(x)\n", id="plain over two lines"),
        pytest.param("expr: 'it''s - wrong(x)'\n", id="single quotes"),
        pytest.param('expr: "a\\"b\\u00e9\\t - wrong(x)"\n', id="double quotes"),
        pytest.param('expr: "sum(up) \\\n    - wrong(x)"\n', id="double quotes with an escaped break"),
        pytest.param("expr: |\n  sum(up)\n    -\n  wrong(x)\n", id="literal"),
        pytest.param("expr: |2-\n    sum(up)\n  wrong(x)\n", id="literal with an indentation indicator"),
        pytest.param("expr: >-\n  sum(up)\n\n  - wrong(x)\n", id="folded"),
        pytest.param("expr: > # a remark\n  sum(up) - wrong(x)\n", id="folded, with a comment in its header"),
        pytest.param("é: {n: 1}\n".replace("{n: 1}", "日本 wrong(x)"), id="wide characters"),
        pytest.param("expr: |\r\n  sum(up)\r\n  wrong(x)\r\n", id="CRLF"),
    ],
)
def test_a_word_is_found_where_it_stands(text: str) -> None:
    """The caret is under the word itself."""
    scalar = scalar_of(text)
    begin = scalar.text.index("wrong")
    found = place(scalar, begin, begin + 5)
    line = scalar.file.line(found.line)
    assert line[found.column - 1 : found.column - 1 + found.width] == "wrong"


words = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=40)
texts = st.lists(words, min_size=1, max_size=4).map("\n".join)


@given(texts, st.sampled_from([None, "'", '"', "|", ">"]), st.data())
def test_every_visible_character_is_found(text: str, style: str | None, data: st.DataObject) -> None:
    """In each style, whatever YAML does to fold, escape and indent it."""
    written = yaml.safe_dump({"key": text}, default_style=style, allow_unicode=True, width=30)
    file = SourceFile("x.yaml", written)
    root, _ = parse(file)
    node = root.values.get("key") if isinstance(root, MappingNode) else None
    assume(isinstance(node, ScalarNode) and node.text == text and not text.isspace())
    assert isinstance(node, ScalarNode)
    offset = data.draw(st.sampled_from([at for at, character in enumerate(text) if not character.isspace()]))
    found = place(node, offset, offset + 1)
    shown = file.line(found.line)[found.column - 1 : found.column - 1 + found.width]
    assert shown == text[offset] or shown.startswith("\\") or shown == "''"
