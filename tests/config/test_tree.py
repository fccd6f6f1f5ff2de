"""The tree: what PyYAML reads, as texts with places."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sentinel.config.source import MOST_BYTES, SourceFile, decode
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode, parse
from sentinel.core.problem import Position


def plain(node: Node | None) -> Any:
    """Return a node's texts."""
    match node:
        case ScalarNode():
            return node.text
        case MappingNode():
            return {key: plain(value) for key, value in node.values.items()}
        case SequenceNode():
            return [plain(item) for item in node.items]
    return None


scalars = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3))


@given(st.dictionaries(scalars.filter(lambda key: key != "<<"), values, max_size=4), st.booleans())
def test_what_is_written_is_read(data: dict[str, Any], flow: bool) -> None:
    """Texts stay texts, whatever they look like."""
    written = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, default_style="'")
    root, problems = parse(SourceFile("x.yaml", written))
    assert not [problem for problem in problems if "<<" not in problem.says]
    if not problems:
        assert plain(root) == data


@given(st.dictionaries(scalars.filter(bool), scalars.filter(bool), min_size=1, max_size=4), st.booleans())
def test_a_position_leads_back_to_the_text(data: dict[str, str], flow: bool) -> None:
    """Line, column and width cut exactly the scalar out of its line, quotes included."""
    written = yaml.safe_dump(data, default_flow_style=flow, allow_unicode=True, default_style="'", width=10_000)
    file = SourceFile("x.yaml", written)
    root, _ = parse(file)
    assert isinstance(root, MappingNode)
    for node in (*root.keys.values(), *root.values.values()):
        at = node.position
        cut = file.line(at.line)[at.column - 1 : at.column - 1 + at.width]
        assert cut == file.text[node.begin : node.end].split("\n")[0]


def test_scalars_are_never_typed() -> None:
    """The Norway problem is none here."""
    root, _ = parse(SourceFile("x.yaml", "a: [22:00, NO, on, 0755, 3.10, 1e3, ~, 2026-12-01]"))
    assert plain(root) == {"a": ["22:00", "NO", "on", "0755", "3.10", "1e3", "~", "2026-12-01"]}


def test_an_alias_is_its_anchor() -> None:
    """Repeating a list is fine."""
    root, problems = parse(SourceFile("x.yaml", "a: &x [1, 2]\nb: *x\n"))
    assert plain(root) == {"a": ["1", "2"], "b": ["1", "2"]}
    assert not problems


#: Each line is ten times the one above.
LAUGHS = "a0: &a0 [1, 1]\n" + "\n".join(f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[" * 100_000, "lies more than 64 levels deep"),
        ("{a: " * 5_000, "lies more than 64 levels deep"),
        ("- " * 5_000, "lies more than 64 levels deep"),
        ("a: &a [*a]", '"*a" stands within itself'),
        (LAUGHS, "more than 200,000 values"),
        ("a: 1\n---\nb: 2\n", "a second document"),
        ("? [a, b]\n: c\n", "a key should be a text"),
    ],
)  # fmt: skip
def test_what_could_hurt_is_refused(text: str, says: str) -> None:
    """Depth, aliases and documents have limits."""
    _, problems = parse(SourceFile("x.yaml", text))
    assert any(says in problem.says for problem in problems)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"a: \xff", "is not UTF-8: byte 0xff in line 1"),
        ("a: 1".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b"#" * (MOST_BYTES + 1), "is larger than 1024 KiB"),
    ],
)
def test_bytes_that_are_no_text_are_refused(content: bytes, says: str) -> None:
    """With what to do about it."""
    with pytest.raises(ValueError, match=says):
        decode(content)


def test_a_byte_order_mark_moves_nothing() -> None:
    """Editors do not show it, so columns do not count it."""
    file = SourceFile("x.yaml", decode(b"\xef\xbb\xbfa: b\n"))
    root, _ = parse(file)
    assert isinstance(root, MappingNode)
    assert root.values["a"].position == Position("x.yaml", 1, 4, 1)


def test_carriage_returns_end_lines() -> None:
    """A file from Windows has the same lines."""
    file = SourceFile("x.yaml", "a: b\r\nc: d\r\n")
    root, _ = parse(file)
    assert isinstance(root, MappingNode)
    assert root.values["c"].position == Position("x.yaml", 2, 4, 1)
    assert file.line(2) == "c: d"
