"""Build: an entry becomes its keys and its kind, with the defaults of its folder laid under it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sentinel.config.defaults import timezone_node, with_defaults
from sentinel.config.entries import LOOKING, keys_of
from sentinel.config.gather import Entry, Gathered
from sentinel.config.kinds import REGISTRIES, choose
from sentinel.config.provenance import Provenance
from sentinel.config.read import Found, Reader, locate
from sentinel.config.tree import MappingNode, Node, ScalarNode
from sentinel.core.fields import Model
from sentinel.core.localtime import zone


@dataclass(frozen=True, slots=True)
class Read:
    """An entry that was read: its keys, its kind's word, what stands under that, and its node with defaults in it.

    `keys` is None where something is wrong with them, which is reported: what stands under the word may still be looked
    at, so that all is found at once.
    """

    entry: Entry
    keys: Any
    word: str
    kind: Any
    node: Node

    @property
    def found(self) -> Found:
        """Where it stands, to look further from."""
        return Found(self.node, self.entry.key, self.entry.name)

    def has(self, name: str) -> bool:
        """Say whether a key stands in it, or in its defaults."""
        return isinstance(self.node, MappingNode) and name in self.node.values


@dataclass(slots=True)
class Builder:
    """What building the parts of one tree shares.

    Args:
        gathered: the entries.
        reader: reads and reports.
        provenance: of the tree, for each rule's origin.
        agent: name of the agent, for templates.
        stand_ins: whether a kind that lacks only a value from the environment is there nevertheless.
        models: everything that was read, for the secrets in it.
    """

    gathered: Gathered
    reader: Reader
    provenance: Provenance = field(default_factory=Provenance)
    agent: str = ""
    stand_ins: bool = False
    models: list[Model] = field(default_factory=list)

    def read(self, entry: Entry) -> Read | None:
        """Read an entry that has a kind; None where something is wrong with the kind, which is reported."""
        registry = REGISTRIES[entry.section]
        common = keys_of(registry.common)
        if (chosen := choose(entry, registry, self.reader.findings)) is None:
            if isinstance(entry.node, MappingNode):
                self._keys(registry.common, entry.node, entry)  # so that all is found at once
            return None
        word, kind = chosen
        taking = common - set(LOOKING) if getattr(kind, "FIXED_EVERY", None) is not None else common
        node = with_defaults(self.gathered, entry, word, kind.SHORT, taking)
        assert isinstance(node, MappingNode)  # it has a word
        keys = self._keys(registry.common, node, entry)
        own = self._own(kind, node.keys[word], node.values[word], entry)
        return Read(entry, keys, word, own, _only(node, common | {word})) if own else None

    def plain(self, model: type[Model], entry: Entry) -> Any:
        """Read an entry that has no kind, such as a route; None where something is wrong with it."""
        article = "an" if entry.what[0] in "aeiou" else "a"
        what = f"{article} {entry.what}"
        keys = self.reader.model(model, entry.node, entry.what, what, entry.key, None, self.timezone(entry))
        if keys is not None:
            self.models.append(keys)
        return keys

    def timezone(self, entry: Entry) -> str:
        """Return the time zone that an entry has if it does not say one."""
        node = timezone_node(self.gathered, entry)
        name = self.reader.text(node) if node is not None else None
        if node is None or name is None:
            return "UTC"
        try:
            zone(name)
        except ValueError as exc:
            self.reader.report(str(exc), Found(node, None, "timezone"), "defaults")
            return "UTC"
        return name

    def earlier_name(self, section: str, name: str) -> tuple[str, Node] | None:
        """Return what an entry was called before, and where it says so."""
        entry = self.gathered.of(section)[name]
        node = locate(Found(entry.node), ("was",)).node
        text = self.reader.text(node) if node is not entry.node else None
        return (text, node) if text is not None else None

    def report(self, read: Read, name: str, check: str, says: str, fix: str = "") -> None:
        """Report what stands under a key, unless nobody knows what that is."""
        found = locate(read.found, (name,))
        if not self.reader.undecided(found.node):
            self.reader.findings.add(check, found.node, says, fix)

    def _keys(self, common: type[Model], node: MappingNode, entry: Entry) -> Model | None:
        """Read the keys beside the kind's word, with a model that all kinds of a section share."""
        what, timezone = f"a {entry.what}", self.timezone(entry)
        keys = self.reader.model(common, _only(node, keys_of(common)), entry.what, what, entry.key, None, timezone)
        if keys is not None:
            self.models.append(keys)
        return keys

    def _own(self, kind: type[Model], word: ScalarNode, node: Node, entry: Entry) -> Model | None:
        """Read what stands under the kind's word; a cron expression there has the defaults' time zone."""
        data, timezone = self.reader.data(node), self.timezone(entry)
        if isinstance(data, dict) and "cron" in data and "timezone" in kind.model_fields:
            data.setdefault("timezone", timezone)
        own = self.reader.model(kind, node, entry.what, f'"{word.text}"', word, data, timezone)
        if own is not None:
            self.models.append(own)
        elif self.stand_ins and self.reader.undecided(node):
            return kind.model_construct(**(data if isinstance(data, dict) else {kind.SHORT or "": data}))
        return own


def _only(node: MappingNode, names: frozenset[str]) -> MappingNode:
    """Return a mapping with these keys alone: the others are reported, or read, elsewhere."""
    keys = {name: key for name, key in node.keys.items() if name in names}
    values = {name: value for name, value in node.values.items() if name in names}
    return MappingNode(node.file, node.begin, node.end, keys, values, node.size, node.broken)
