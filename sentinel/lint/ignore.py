"""Ignore: comments that take a problem's word back, for a time and for a reason.

    # sentinel: ignore rule/for-too-short until 2026-12-01 because the probe is moved next week

stands above what it is about, or behind it on the same line. Above a rule, or behind its name, it is about the whole
rule. `# sentinel: ignore-file promql/* because …` is about its file. Several names are parted by commas.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import islice
from typing import Any, NamedTuple

from sentinel.config.source import SourceFile
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode
from sentinel.core.problem import Position, Problem

_COMMENT = re.compile(r"(?:^|(?<=\s))#[ \t]*sentinel:[ \t]*([^\n\r]*)")
_WORDS = re.compile(
    r"(?P<word>ignore(?:-file)?)\s+(?P<names>[\w/*-]+(?:\s*,\s*[\w/*-]+)*)"
    r"(?:\s+until\s+(?P<until>\S+))?(?:\s+because\s+(?P<why>\S.*))?\s*"
)
_FORM = "write ignore, a check's name, and if you like: until 2026-12-01 because …"
#: So many comments of one file are read.
MOST_COMMENTS = 1000
#: What a comment is about begins at most so many lines below it.
_FURTHEST = 100


class Ignore(NamedTuple):
    """One comment.

    Args:
        names: of checks; `promql/*` is all of a family.
        until: day from which on it is over, as written, "" for never.
        because: why.
        first: line from which on it holds; 0 for the whole file.
        last: line up to which.
        wrong: why it cannot be read, "" where it can.
        line: where it stands.
        column: likewise.
        width: likewise.
    """

    names: tuple[str, ...]
    until: str
    because: str
    first: int
    last: int
    wrong: str
    line: int
    column: int
    width: int

    @classmethod
    def from_data(cls, data: list[Any]) -> Ignore:
        """Return what JSON made of one."""
        return cls(tuple(data[0]), *data[1:])

    def position(self, file: str) -> Position:
        """Where it stands."""
        return Position(file, self.line, self.column, self.width)

    def expired(self, today: date) -> bool:
        """Whether its day has come."""
        return bool(self.until) and today >= date.fromisoformat(self.until)

    def covers(self, problem: Problem) -> bool:
        """Say whether a problem of its file is meant."""
        if self.first and not self.first <= problem.position.line <= self.last:
            return False
        return any(fits(name, problem.check) for name in self.names)


def fits(name: str, check: str) -> bool:
    """Say whether a name, or the pattern of a family (`promql/*`), stands for a check."""
    return name == check or (name.endswith("/*") and check.startswith(name[:-1]))


def ignores(file: SourceFile, root: Node | None) -> list[Ignore]:
    """Return the comments of a file that speak to us."""
    return [] if "sentinel:" not in file.text else list(islice(_ignores(file, root), MOST_COMMENTS))


def _ignores(file: SourceFile, root: Node | None) -> Iterator[Ignore]:
    ends = _ends(root)
    for found in _COMMENT.finditer(file.text):
        if root is not None and _in_a_text(root, found.start()):
            continue
        position = file.position(found.start(), found.end())
        place = (position.line, position.column, position.width)
        words = _WORDS.fullmatch(found[1])
        if words is None:
            yield Ignore((), "", "", 0, 0, f"is not understood; {_FORM}", *place)
            continue
        until = words["until"] or ""
        wrong = "" if not until or _is_day(until) else f'"{until}" is not a day; write it so: 2026-12-01'
        first, last = (0, 0) if words["word"] == "ignore-file" else _reach(file, ends, position)
        names = tuple(re.split(r"\s*,\s*", words["names"]))
        yield Ignore(names, until, words["why"] or "", first, last, wrong, *place)


def _is_day(text: str) -> bool:
    try:
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\d", text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _reach(file: SourceFile, ends: dict[int, int], comment: Position) -> tuple[int, int]:
    """Return the lines that a comment is about: its own or the next, and all that belongs to what begins there."""
    line = comment.line
    if not file.line(line)[: comment.column - 1].strip():
        line += 1
        furthest = min(line + _FURTHEST, file.lines)
        while line < furthest and ((text := file.line(line).strip()).startswith("#") or not text):
            line += 1
    return line, max(line, ends.get(line, line))


def _ends(root: Node | None) -> dict[int, int]:
    """Return the last line of the outermost value that begins on each line."""
    found: dict[int, int] = {}
    waiting = [root] if root is not None else []
    while waiting:
        parts = list(_parts(waiting.pop()))
        for key, value in parts:
            found.setdefault(key.position.line, value.file.position(max(value.end - 1, value.begin)).line)
        waiting += [value for _, value in reversed(parts)]
    return found


def _parts(node: Node) -> Iterator[tuple[Node, Node]]:
    if isinstance(node, MappingNode):
        yield from ((node.keys[name], value) for name, value in node.values.items())
    elif isinstance(node, SequenceNode):
        yield from ((item, item) for item in node.items)


def _in_a_text(node: Node, at: int) -> bool:
    """Say whether an offset lies in a quoted text: there it is no comment. In a block of PromQL it is one."""
    if isinstance(node, ScalarNode):
        return node.style in ("'", '"') and node.begin <= at < node.end
    return any(_in_a_text(value, at) for _, value in _parts(node) if value.begin <= at < value.end)
