"""Given: another system's configuration file as it was written, which knows what of it was asked for.

Whatever an importer does not ask for is left over, and told with its line: nothing is lost silently.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sentinel.config.syntax import explain
from sentinel.core.errors import ConfigInvalid, SentinelError
from sentinel.core.fields import Plain, resolve
from sentinel.core.problem import Position, Problem
from sentinel.core.severity import Severity
from sentinel.exchange.kuma_db import MAGIC, backup_of

#: A duration of Go, as Prometheus and its kin write it; a number alone counts seconds.
_GO_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|[smhdwy]))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800, "y": 31_536_000}


class Unreadable(SentinelError):
    """A path that cannot be read."""


def wrong(position: Position, says: str, fix: str) -> ConfigInvalid:
    """Return what is raised of a file that cannot be what it is said to be."""
    return ConfigInvalid([Problem("import/unreadable", Severity.ERROR, position, says, fix)])


@dataclass(eq=False)
class Source:
    """A file, and the keys in it that were asked for.

    Args:
        path: as people are shown it.
        folder: where it lies, for the files that it names.
        text: all of it.
        roots: its documents.
        asked: ids of the key nodes that were asked for.
        read_: ids of the scalar nodes whose text was.
    """

    path: str
    folder: Path
    text: str = field(default="", repr=False)
    roots: list[yaml.Node] = field(default_factory=list)
    asked: set[int] = field(default_factory=set)
    read_: set[int] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path, shown: str = "") -> Source:
        """Read a file of YAML or JSON, or Uptime Kuma's database.

        Raises:
            Unreadable: it cannot be read.
            ConfigInvalid: it is neither.
        """
        shown = shown or str(path)
        try:
            content = path.read_bytes()
            text = backup_of(path) if content.startswith(MAGIC) else content.decode("utf-8-sig")
            return cls.of(text.replace("\r\n", "\n"), shown, path.parent)
        except OSError as exc:
            raise Unreadable(f"{shown}: {(exc.strerror or 'cannot be read').lower()}") from None
        except UnicodeDecodeError:
            raise wrong(Position(shown), "is not UTF-8", "name a file of YAML or JSON") from None
        except ValueError as exc:
            raise wrong(Position(shown), f"is no database of Uptime Kuma: {exc}", "name its kuma.db") from None

    @classmethod
    def of(cls, text: str, path: str, folder: Path = Path()) -> Source:
        """Read a text.

        Raises:
            ConfigInvalid: it is neither YAML nor JSON.
        """
        source = cls(path, folder, text)
        if text.lstrip()[:1] in ("{", "["):
            text = text.replace("\t", " ")  # JSON may be indented so, and YAML may not
        try:
            loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
            source.roots = list(yaml.compose_all(text, Loader=loader))
        except yaml.YAMLError as exc:
            found = explain(exc, text)
            before = text[: found.begin]
            at = Position(path, before.count("\n") + 1, found.begin - before.rfind("\n"))
            raise wrong(at, found.says, found.fix or "it should be YAML or JSON") from None
        except RecursionError:
            raise wrong(Position(path), "is nested too deep", "it should be YAML or JSON") from None
        return source

    @property
    def root(self) -> Given:
        """The first document."""
        return Given(self, self.roots[0] if self.roots else None)

    def rewrite(self, change: Callable[[str], str]) -> None:
        """Change every text, as its system does when it reads the file; all stays where it stands."""
        seen: set[int] = set()
        nodes = list(self.roots)
        while nodes:
            node = nodes.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.ScalarNode):
                node.value = change(node.value)
            elif isinstance(node, yaml.MappingNode):
                nodes += [value for _, value in node.value]
            else:
                nodes += node.value

    def left_over(self) -> Iterator[tuple[Position, str]]:
        """Iterate over what nobody asked for, or could read: where it stands, and what is to be said of it."""
        seen: set[int] = set()
        for root in self.roots:
            yield from self._left_over(root, "", seen)

    def _left_over(self, node: yaml.Node, path: str, seen: set[int]) -> Iterator[tuple[Position, str]]:
        if id(node) in seen:
            return
        seen.add(id(node))
        if isinstance(node, yaml.ScalarNode):
            if id(node) not in self.read_ and not _empty(node):
                yield self.position(node), f"{path or 'the file'}: is a text, and cannot be understood here"
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                yield from self._left_over(item, path, seen)
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            name = str(key.value)
            where = f"{path}.{name}" if path else name
            if name == "<<" or id(key) in self.asked or self._shared(value):
                yield from self._left_over(value, where, seen)
            elif not _empty(value):
                yield self.position(key), f"{where}: has no counterpart here"

    def _shared(self, node: yaml.Node) -> bool:
        """Say whether a value is there to be merged into others: something in it was asked for."""
        return isinstance(node, yaml.MappingNode) and any(id(key) in self.asked for key, _ in node.value)

    def position(self, node: yaml.Node | None) -> Position:
        """Return where a node stands."""
        if node is None:
            return Position(self.path)
        return Position(self.path, node.start_mark.line + 1, node.start_mark.column + 1)


def _empty(node: yaml.Node) -> bool:
    """Say whether a key holds nothing that could be lost."""
    if isinstance(node, yaml.ScalarNode):
        return not node.value or (not node.style and str(node.value).lower() in ("~", "null", "false"))
    return not node.value


@dataclass(frozen=True, eq=False)
class Given:
    """A value of the file, or that there is none there."""

    source: Source
    node: yaml.Node | None
    key: yaml.Node | None = None

    def __bool__(self) -> bool:
        return self.node is not None and not (isinstance(self.node, yaml.ScalarNode) and _empty(self.node))

    def __contains__(self, name: str) -> bool:
        return name in self._pairs()

    @property
    def position(self) -> Position:
        """Where it stands: its key, if it has one."""
        return self.source.position(self.key or self.node)

    def get(self, *names: str) -> Given:
        """Return what stands under a key, or under keys of one another."""
        found = self
        for name in names:
            key, node = found._pairs().get(name, (None, None))
            if key is not None:
                self.source.asked.add(id(key))
            found = Given(self.source, node, key)
        return found

    def text(self, *names: str) -> str:
        """Return the text under a key, "" where there is none."""
        node = self.get(*names).node if names else self.node
        self.source.read_.add(id(node))
        if not isinstance(node, yaml.ScalarNode) or (not node.style and _null(node)):
            return ""
        return str(node.value)

    def flag(self, *names: str, default: bool = False) -> bool:
        """Return a yes or no."""
        text = self.text(*names).lower()
        return default if not text else text in ("true", "yes", "on", "1")

    def number(self, *names: str, default: float = 0) -> float:
        """Return a number."""
        try:
            return float(self.text(*names))
        except ValueError:
            return default

    def seconds(self, *names: str, default: float = 0) -> float:
        """Return a duration in seconds: `1m30s`, or a number of them."""
        text = self.text(*names).strip()
        if _GO_DURATION.fullmatch(text):
            return sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
        try:
            return float(text)
        except ValueError:
            return default

    def minutes(self, *names: str) -> int | None:
        """Return a time of the day in minutes, None where there is none: `23:00`."""
        found = re.fullmatch(r"([01]?\d|2[0-4]):([0-5]\d)", self.text(*names).strip())
        return int(found[1]) * 60 + int(found[2]) if found else None

    def items(self, *names: str) -> list[Given]:
        """Return the items of a list; a value that is none is a list of one."""
        found = self.get(*names) if names else self
        if isinstance(found.node, yaml.SequenceNode):
            return [Given(self.source, item) for item in found.node.value]
        return [found] if found else []

    def texts(self, *names: str) -> list[str]:
        """Return the texts of a list."""
        return [item.text() for item in self.items(*names)]

    def pairs(self, *names: str) -> list[tuple[str, Given]]:
        """Return the keys of a mapping and what stands under them."""
        found = self.get(*names) if names else self
        return [(name, found.get(name)) for name in found._pairs()]

    def names(self) -> list[str]:
        """Return the keys of a mapping; none of them is asked for by that."""
        return list(self._pairs())

    def strings(self, *names: str) -> dict[str, str]:
        """Return a mapping of texts."""
        return {name: given.text() for name, given in self.pairs(*names)}

    def plain(self, *names: str) -> Any:
        """Return all that stands under a key as plain data; nothing of it is left over."""
        return (self.get(*names) if names else self)._data()

    def _data(self) -> Any:
        if isinstance(self.node, yaml.SequenceNode):
            return [Given(self.source, item)._data() for item in self.node.value]
        if isinstance(self.node, yaml.MappingNode):
            return {name: given._data() for name, given in self.pairs()}
        if not isinstance(self.node, yaml.ScalarNode):
            return None
        self.source.read_.add(id(self.node))
        return str(self.node.value) if self.node.style else resolve(Plain(self.node.value))

    def _pairs(self) -> Mapping[str, tuple[yaml.Node, yaml.Node]]:
        """Return keys and values; those that are merged in (`<<`) give way to the mapping's own."""
        if not isinstance(self.node, yaml.MappingNode):
            return {}
        merged: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        own: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in self.node.value:
            if key.value == "<<" and isinstance(key, yaml.ScalarNode):
                parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
                for part in reversed(parts):
                    merged |= Given(self.source, part)._pairs()
            else:
                own[str(key.value)] = (key, value)
        return merged | own


def _null(node: yaml.ScalarNode) -> bool:
    return str(node.value).lower() in ("", "~", "null")
