"""Edits: what `check --fix` writes in place of a value or a key, where nothing else can be meant."""

from __future__ import annotations

import re
from collections.abc import Collection

from sentinel.config.tree import MappingNode, Node, ScalarNode
from sentinel.core.problem import Edit, surely

#: What a text may hold and stand without quotes; {a: b} and [a, b] are written as they are.
_PLAIN = re.compile(r"[\w./+%-][\w./+%: -]*|[\[{].*[\]}]")


def in_place_of(node: Node, text: str) -> Edit | None:
    """Return what writes a text in place of a value; None where that is not written letter for letter in its file."""
    if not isinstance(node, ScalarNode) or node.style in ("|", ">"):
        return None
    written = node.file.text[node.begin : node.end]
    if written != f"{node.style}{node.text}{node.style}":
        return None
    if node.style and not text.startswith(("[", "{")):
        plain = not any(sign in text for sign in ("\\", node.style))
        return Edit(node.begin + 1, node.end - 1, text) if plain else None
    if not _PLAIN.fullmatch(text) or (": " in text and not text.startswith("{")):
        return Edit(node.begin, node.end, f'"{text}"') if '"' not in text and "\\" not in text else None
    return Edit(node.begin, node.end, text)


def renamed(key: ScalarNode, within: Node, fix: str, known: Collection[str]) -> Edit | None:
    """Return what writes the key that was meant, where one alone is near and does not stand there already."""
    found = re.fullmatch(r'did you mean "([^"]+)"\?', fix)
    if found is None or not isinstance(within, MappingNode) or found[1] in within.keys:
        return None
    return in_place_of(key, found[1]) if surely(key.text, known) == found[1] else None
