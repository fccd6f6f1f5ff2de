"""From an offset inside a scalar's value to the place in the file: past quotes, escapes, indentation and folds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.config.tree import ScalarNode
from sentinel.core.problem import Position

_ESCAPE = re.compile(r"\\(x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|\r\n|[\s\S])")
_HEADER = re.compile(r"[|>][^\n\r]*(?:\r\n|[\n\r]|$)")
#: Escapes of double quotes that stand for white space.
_BLANK_ESCAPES = frozenset(("n", "t", "r", " ", "\t", "N", "_", "L", "P", "v", "f", "\n", "\r", "\r\n"))


def place(scalar: ScalarNode, begin: int, end: int) -> Position:
    """Return the position of value[begin:end] of a scalar, as wide as it is on its first line.

    White space is what YAML folds, strips and indents, and nothing else is ever dropped. So the n-th character of the
    value that is not white space is the n-th one of the source: count, and the place is found for every style.
    """
    text = scalar.text
    if (at := verbatim(scalar)) is not None and begin < len(text):
        return scalar.file.position(at + begin, at + end)
    starts = list(_visible(scalar))
    first = _count(text[:begin])
    if not starts or first > len(starts):
        return scalar.position
    if begin >= len(text) or text[begin].isspace():
        at = starts[first - 1][1] if first else starts[0][0]
        return scalar.file.position(at, at + 1)
    last = max(first, _count(text[:end]) - 1)
    at = starts[first][0]
    return scalar.file.position(at, starts[min(last, len(starts) - 1)][1])


def span(scalar: ScalarNode, begin: int, end: int) -> tuple[int, int] | None:
    """Return the offsets in the file of value[begin:end]; None where it is not written there just so.

    What is quoted, escaped or folded inside the part cannot be replaced by other text as it is.
    """
    starts = list(_visible(scalar))
    first, last = _count(scalar.text[:begin]), _count(scalar.text[:end])
    if not first < last <= len(starts) or scalar.text[begin].isspace() or scalar.text[end - 1].isspace():
        return None
    found = starts[first][0], starts[last - 1][1]
    return found if scalar.file.text[slice(*found)] == scalar.text[begin:end] else None


def verbatim(scalar: ScalarNode) -> int | None:
    """Return where a value stands in the file letter for letter in one line, as most do; None where it does not."""
    value = scalar.text.rstrip("\n")
    if "\n" in value or not value:
        return None
    begin, end = scalar.begin, scalar.end
    if scalar.style in ("|", ">"):
        header = _HEADER.match(scalar.file.text, begin)
        begin = header.end() if header else begin
    found = scalar.file.text.find(value, begin, end)
    return found if found >= 0 else None


def _count(text: str) -> int:
    return sum(not character.isspace() for character in text)


def _visible(scalar: ScalarNode) -> Iterator[tuple[int, int]]:
    """Yield where each character that is not white space begins and ends in the file."""
    source = scalar.file.text
    at, end = scalar.begin, scalar.end
    if scalar.style in ("|", ">"):
        header = _HEADER.match(source, at)
        at = header.end() if header else at
    elif scalar.style in ("'", '"'):
        at, end = at + 1, end - 1
    while at < end:
        step, blank = 1, source[at].isspace()
        if scalar.style == "'" and source.startswith("''", at):
            step = 2
        elif scalar.style == '"' and (escape := _ESCAPE.match(source, at)):
            step, blank = escape.end() - at, _is_blank(escape[1])
        if not blank:
            yield at, at + step
        at += step


def _is_blank(escape: str) -> bool:
    if escape in _BLANK_ESCAPES:
        return True
    if len(escape) > 1 and escape[0] in "xuU":
        code = int(escape[1:], 16)
        return code < 0x110000 and chr(code).isspace()
    return False
