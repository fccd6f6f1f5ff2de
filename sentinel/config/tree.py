"""YAML with positions: a file becomes nodes that know where they stand, and every scalar is text.

Built from the parser's events, so that depth, aliases, duplicate keys, tags and further documents are seen as they
come, and nothing is ever turned into an object. Nodes are not frozen, since making a frozen one takes three times as
long, and a tree has half a million; nobody writes to them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from sentinel.config.source import SourceFile, forbidden_character
from sentinel.config.syntax import Malformed, explain
from sentinel.core.problem import Edit, Position

#: How deep values may lie in one another.
MOST_DEPTH = 64
#: How many problems of its YAML are told.
MOST_PROBLEMS = 1000
#: How many values a file may have once its aliases are followed.
MOST_VALUES = 200_000


#: A key that is a matcher of PromQL, such as `job="shop"`: somebody forgot the quotes around the selector.
_MATCHER = re.compile(r"""\w+(=|!=|=~|!~)["']""")


@dataclass(slots=True, eq=False)
class Node:
    """A value and where it stands: `file.text[begin:end]`."""

    file: SourceFile
    begin: int
    end: int

    @property
    def position(self) -> Position:
        """Where it begins, as wide as it is on its first line."""
        return self.file.position(self.begin, self.end)


@dataclass(slots=True, eq=False)
class ScalarNode(Node):
    """A text; its key says what it means. `style` is "" without quotes, else the quote or `|` or `>`."""

    text: str
    style: str = ""


@dataclass(slots=True, eq=False)
class MappingNode(Node):
    """Values by their keys, in the order of the file.

    `size` counts all values in it; `broken` says that keys in it could not be read, which is reported already.
    """

    keys: Mapping[str, ScalarNode] = field(default_factory=dict)
    values: Mapping[str, Node] = field(default_factory=dict)
    size: int = 1
    broken: bool = False


@dataclass(slots=True, eq=False)
class SequenceNode(Node):
    """Values in a row."""

    items: tuple[Node, ...] = ()
    size: int = 1


_NULL = ("", "~", "null", "Null", "NULL")


def is_blank(node: Node) -> bool:
    """Say whether nothing stands there: a key whose entries are all commented out, or YAML's word for nothing."""
    return isinstance(node, ScalarNode) and not node.style and node.text in _NULL


def parse(file: SourceFile) -> tuple[Node | None, list[Malformed]]:
    """Read a file; None where it holds nothing, or is no YAML. All that is found wrong on the way is returned too."""
    if (at := forbidden_character(file.text)) is not None:
        code = f"U+{ord(file.text[at]):04X}"
        return None, [Malformed(f"the character {code} is not allowed in YAML", "remove it", at)]
    builder = _Builder(file)
    try:
        return builder.document(), builder.problems
    except Malformed as malformed:
        return None, [*builder.problems, malformed]
    except yaml.YAMLError as error:
        return None, [*builder.problems, explain(error, file.text)]


class _Bounded(list[Malformed]):
    """The first problems of a file; a thousand more of them would help nobody."""

    def append(self, malformed: Malformed) -> None:
        if len(self) < MOST_PROBLEMS:
            super().append(malformed)


class _Builder:
    """Turns the parser's events into nodes; recursion ends at `MOST_DEPTH`."""

    def __init__(self, file: SourceFile) -> None:
        self.file = file
        self.problems: list[Malformed] = _Bounded()
        self.anchors: dict[str, Node | None] = {}
        self.idle: dict[str, tuple[Any, Node]] = {}
        self.values = 0
        self.next_event: Callable[[], Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(file.text).get_event

    def document(self) -> Node | None:
        self.next_event()
        event = self.next_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        root = self.node(self.next_event(), 0)
        self.problems += [_idle(*found) for found in self.idle.values()]
        self.next_event()
        event = self.next_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None if is_blank(root) else root
        if isinstance(root, MappingNode) and not root.keys.keys().isdisjoint(("groups", "rule_files")):
            says = "Prometheus reads the first document only: nothing below this is read"
            self.problems.append(Malformed(says, "part the file into two", *_span(event), "file/documents"))
            return root
        raise Malformed("a second document begins here", "a file holds one; part it into two", *_span(event))

    def node(self, event: Any, depth: int) -> Node:
        begin, end = event.start_mark.index, event.end_mark.index
        self.values += 1
        if self.values > MOST_VALUES or depth > MOST_DEPTH:
            self._refuse(depth, begin)
        if type(event) is yaml.ScalarEvent and event.anchor is None and event.tag is None:
            return ScalarNode(self.file, begin, end, event.value, event.style or "")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.anchor:
            self.anchors[event.anchor] = None
        if event.tag not in _PLAIN_TAGS:
            self.problems.append(_tag(event))
        if isinstance(event, yaml.ScalarEvent):
            node: Node = ScalarNode(self.file, begin, end, event.value, event.style or "")
            if event.tag not in _PLAIN_TAGS:  # nobody knows what it means
                node = MappingNode(self.file, begin, end, broken=True)
        elif isinstance(event, yaml.MappingStartEvent):
            node = self._mapping(begin, depth)
        else:
            node = self._sequence(begin, depth)
        if event.anchor:
            self.anchors[event.anchor] = node
            self.idle[event.anchor] = event, node
        return node

    def _mapping(self, begin: int, depth: int) -> MappingNode:
        keys: dict[str, ScalarNode] = {}
        values: dict[str, Node] = {}
        merged: list[Node] = []
        size, end, broken = 1, begin, False
        depth += 1
        while type(event := self.next_event()) is not yaml.MappingEndEvent:
            key = self.node(event, depth)
            value = self.node(self.next_event(), depth)
            size += _size(value)
            end = value.end
            if not isinstance(key, ScalarNode):
                broken = True
                self.problems.append(self._bad_key(key))
            elif key.text in keys:
                first = keys[key.text].position
                says = f'"{key.text}" is here twice; the first is in line {first.line}'
                self.problems.append(Malformed(says, "keep one of them", key.begin, key.end))
            elif key.text == "<<" and not key.style:
                merged += value.items if isinstance(value, SequenceNode) else (value,)
            else:
                keys[key.text], values[key.text] = key, value
        for source in merged:
            broken = self._merge(source, keys, values) or broken
        if any("=" in name and _MATCHER.match(name) and is_blank(values[name]) for name in keys):
            fix = 'put a selector in quotes; where a mapping is meant, write name: "value"'
            self.problems.append(Malformed("YAML takes this for a mapping", fix, begin, _end(event, end)))
            keys, values, broken = {}, {}, True
        return MappingNode(self.file, begin, _end(event, end), keys, values, size, broken)

    def _merge(self, source: Node, keys: dict[str, ScalarNode], values: dict[str, Node]) -> bool:
        """Add the keys of another mapping that are not there yet; say whether it is broken."""
        if not isinstance(source, MappingNode):
            says = "<< takes another mapping, or a list of them"
            self.problems.append(Malformed(says, "write *name of one with &name above", source.begin, source.end))
            return True
        for name, key in source.keys.items():
            if name not in keys:
                keys[name], values[name] = key, source.values[name]
        return source.broken

    def _sequence(self, begin: int, depth: int) -> SequenceNode:
        items: list[Node] = []
        while type(event := self.next_event()) is not yaml.SequenceEndEvent:
            items.append(self.node(event, depth + 1))
        end = _end(event, items[-1].end if items else begin)
        return SequenceNode(self.file, begin, end, tuple(items), 1 + sum(map(_size, items)))

    def _alias(self, event: Any) -> Node:
        begin, end = _span(event)
        if event.anchor not in self.anchors:
            fix = f"write &{event.anchor} at an earlier value, or put this in quotes"
            raise Malformed(f'there is no anchor "{event.anchor}" above', fix, begin, end)
        node = self.anchors[event.anchor]
        self.idle.pop(event.anchor, None)
        if node is None:
            raise Malformed(f'"*{event.anchor}" stands within itself', "", begin, end)
        self.values += _size(node)
        if self.values > MOST_VALUES:
            self._refuse(0, begin)
        return node

    def _refuse(self, depth: int, at: int) -> None:
        if depth > MOST_DEPTH:
            raise Malformed(f"lies more than {MOST_DEPTH} levels deep", "", at)
        raise Malformed(f"the file has more than {MOST_VALUES:,} values, aliases counted", "", at)

    def _bad_key(self, key: Node) -> Malformed:
        if key.file.text.startswith("{{", key.begin - 1):
            return Malformed(
                "a value that begins with {{ is not text", "put it in quotes", key.begin - 1, key.begin + 1
            )
        return Malformed("a key should be a text", "", key.begin, key.end)


#: Tags that change nothing for whoever reads all scalars as text.
_PLAIN_TAGS = frozenset((None, "!", *(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null"))))


def _tag(event: Any) -> Malformed:
    begin, end = _span(event)
    if event.tag.startswith("tag:yaml.org,2002:"):
        says = f'the tag "{event.tag.replace("tag:yaml.org,2002:", "!!")}" is not read'
        return Malformed(says, "drop it: the key says what a value means", begin, end)
    fix = f"drop {event.tag}, or put a text that begins with ! in quotes"
    return Malformed(f'YAML takes "{event.tag}" for a tag', fix, begin, end)


def _idle(event: Any, node: Node) -> Malformed:
    """Return what there is to say of an anchor that nothing names again: most are texts that begin with &."""
    begin, end = event.start_mark.index, node.end
    said = f'YAML takes "&{event.anchor}" for an anchor'
    if not isinstance(node, ScalarNode) or node.style:
        says = f"{said}, which nothing names again"
        return Malformed(says, "drop it", begin, begin + 1 + len(event.anchor), "file/anchor")
    written = node.file.text[begin:end]
    plain = not any(sign in written for sign in '"\\\n')
    edit = Edit(begin, end, f'"{written}"') if plain else None
    return Malformed(f"{said}, and drops it", "put the text in quotes", begin, end, "file/anchor", edit)


def _span(event: Any) -> tuple[int, int]:
    return event.start_mark.index, event.end_mark.index


def _end(event: Any, last: int) -> int:
    """Return where a mapping or list ends: at its bracket where it has one, else with what is last in it."""
    begin, end = _span(event)
    return end if end > begin else last


def _size(node: Node) -> int:
    return node.size if isinstance(node, (MappingNode, SequenceNode)) else 1
