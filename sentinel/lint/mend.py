"""Mend: what `check --fix` writes. Only the characters that are wrong are replaced; all others stay as they are."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel.core.problem import Edit


def mend(text: str, edits: Iterable[Edit]) -> tuple[str, int]:
    """Return a text with these edits made, and how many were; of two that overlap the first is made."""
    made, last, count = [], 0, 0
    for edit in sorted(set(edits), key=lambda one: (one.begin, one.end)):
        if edit.begin >= last:
            made += [text[last : edit.begin], edit.text]
            last, count = edit.end, count + 1
    return "".join([*made, text[last:]]), count
