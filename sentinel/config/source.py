"""A text file as it was read: offsets in characters become positions, positions become excerpts."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property

from sentinel.core.problem import Position

#: A file may be this long.
MOST_BYTES = 1_048_576
#: Where YAML sees the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
#: What YAML does not allow in a text. (The same as [^what it allows], which takes 8 ms to compile.)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, eq=False)
class SourceFile:
    """The path as people are shown it, and the text without a byte order mark."""

    path: str
    text: str

    @cached_property
    def _starts(self) -> list[int]:
        return [0, *[found.end() for found in _BREAK.finditer(self.text)]]

    @cached_property
    def _lines(self) -> dict[int, str]:
        """What was asked for already: many problems of one long line share it."""
        return {}

    def _end(self, line: int) -> int:
        """Return the offset of the break behind a line, that of the end for the last one."""
        if line == len(self._starts):
            return len(self.text)
        following = self._starts[line]
        return following - (2 if self.text.startswith("\r\n", following - 2) else 1)

    def offset(self, line: int, column: int) -> int:
        """Return the offset of a place; that of the end where the line is beyond it."""
        return self._starts[line - 1] + column - 1 if line <= len(self._starts) else len(self.text)

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return len(self._starts)

    def position(self, begin: int, end: int | None = None) -> Position:
        """Return the position of text[begin:end], as wide as it is on its first line."""
        begin = min(max(begin, 0), len(self.text))
        line = bisect_right(self._starts, begin)
        start = self._starts[line - 1]
        stop = min(begin + 1 if end is None else end, self._end(line))
        return Position(self.path, line, begin - start + 1, max(1, stop - begin))

    def line(self, number: int) -> str:
        """Return a line, counted from 1, without its end; "" where there is none."""
        if number in self._lines:
            return self._lines[number]
        if not 1 <= number <= len(self._starts):
            return ""
        self._lines[number] = self.text[self._starts[number - 1] : self._end(number)]
        return self._lines[number]


def decode(content: bytes) -> str:
    """Decode a file's bytes.

    Raises:
        ValueError: they are no text that can be YAML; the text says why.
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"is larger than {MOST_BYTES // 1024} KiB; part it into several files")
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as exc:
        line = content.count(b"\n", 0, exc.start) + 1
        raise ValueError(f"is not UTF-8: byte 0x{content[exc.start]:02x} in line {line}; save it as UTF-8") from None


def forbidden_character(text: str) -> int | None:
    """Return the offset of the first character that YAML does not allow, None where there is none."""
    found = _FORBIDDEN.search(text)
    return found.start() if found else None
