"""Gather: the files of a tree become entries by name, each unique, and the defaults of each folder."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

from sentinel.config.edits import renamed
from sentinel.config.findings import Findings
from sentinel.config.foreign import foreign, groups_of_operator
from sentinel.config.source import SourceFile
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode, is_blank, parse
from sentinel.core.problem import near
from sentinel.core.severity import Severity

#: What is read, and what one entry of it is called.
SECTIONS = {
    "probes": "probe",
    "rules": "rule",
    "notifiers": "notifier",
    "routes": "route",
    "mutes": "mute",
    "inhibit": "inhibit",
    "schedules": "schedule",
    "tests": "test",
}
NAME_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_NAME = 100
#: A section of one file may have so many entries, which take about a second to read.
MOST_ENTRIES = 5000
_NAME = re.compile(NAME_PATTERN)


class Entry(NamedTuple):
    """One entry of a section, as it was written."""

    section: str
    name: str
    key: ScalarNode
    node: Node

    @property
    def folder(self) -> PurePosixPath:
        """The folder of its file."""
        return PurePosixPath(self.key.file.path).parent

    @property
    def what(self) -> str:
        """What one of its kind is called: `probe`."""
        return SECTIONS[self.section]


@dataclass
class Gathered:
    """All entries by section and name in path order, `defaults` and `policy` by folder, and what is Prometheus's.

    Attributes:
        groups: what stands under `groups:`.
        roots: the files' whole trees, for whoever looks beside the entries.
        promtool: whole files that are tests for promtool.
    """

    entries: dict[str, dict[str, Entry]] = field(default_factory=lambda: {section: {} for section in SECTIONS})
    defaults: dict[PurePosixPath, MappingNode] = field(default_factory=dict)
    policies: dict[PurePosixPath, MappingNode] = field(default_factory=dict)
    groups: list[Node] = field(default_factory=list)
    roots: dict[str, Node] = field(default_factory=dict)
    promtool: list[MappingNode] = field(default_factory=list)

    def of(self, section: str) -> Mapping[str, Entry]:
        """Return the entries of a section."""
        return self.entries[section]

    @cached_property
    def alerts(self) -> frozenset[str]:
        """The names of Prometheus's alerts; asked once all files are read."""
        groups = (group for node in self.groups for group in getattr(node, "items", ()))
        lists = (group.values.get("rules") for group in groups if isinstance(group, MappingNode))
        rules = (rule for rules in lists for rule in getattr(rules, "items", ()) if isinstance(rule, MappingNode))
        return frozenset(alert.text for rule in rules if isinstance(alert := rule.values.get("alert"), ScalarNode))

    def defaults_for(self, entry: Entry) -> list[MappingNode]:
        """Return the defaults that reach an entry, from its own folder upwards."""
        if not self.defaults:
            return []
        folders = (entry.folder, *entry.folder.parents)
        return [self.defaults[folder] for folder in folders if folder in self.defaults]


def gather(files: Iterable[SourceFile], findings: Findings) -> Gathered:
    """Read all files, and sort their entries."""
    gathered = Gathered()
    for file in files:
        root, malformed = parse(file)
        for wrong in malformed:
            at = file.position(wrong.begin, wrong.end)
            level = Severity.ERROR if wrong.check == "file/yaml" else Severity.WARNING
            findings.add(wrong.check, at, wrong.says, wrong.fix, severity=level, edit=wrong.edit)
        if root is not None:
            gathered.roots[file.path] = root
        if isinstance(root, MappingNode) and (groups := groups_of_operator(root)) is not None:
            gathered.groups.append(groups)
        elif isinstance(root, MappingNode) and (other := foreign(root)) is not None:
            findings.add("file/foreign", *other)
        elif isinstance(root, MappingNode) and is_promtool(root):
            gathered.promtool.append(root)
        elif isinstance(root, MappingNode):
            _top(root, gathered, findings)
        elif root is not None:
            says = f"a file should be a mapping of {', '.join(SECTIONS)}"
            fix = "begin with a line such as rules:"
            if isinstance(root, SequenceNode) and any(_is_prometheus(item) for item in root.items):
                fix = "rules of Prometheus stand in a group: groups: [{name: x, rules: [...]}]"
            findings.add("file/shape", root, says, fix)
        elif not malformed:
            position = file.position(0)
            findings.add("file/empty", position, "the file holds nothing", "remove it", severity=Severity.WARNING)
    return gathered


def is_promtool(root: MappingNode) -> bool:
    """Say whether a file is one of those that `promtool test rules` reads: its tests are a list."""
    return "rule_files" in root.values or isinstance(root.values.get("tests"), SequenceNode)


def _top(root: MappingNode, gathered: Gathered, findings: Findings) -> None:
    for name, key in root.keys.items():
        node = root.values[name]
        if name == "defaults":
            _of_folder("defaults", key, node, gathered.defaults, findings)
        elif name == "policy":
            _of_folder("policy", key, node, gathered.policies, findings)
        elif name == "groups":
            gathered.groups.append(node)
        elif name in SECTIONS:
            _section(name, key, node, gathered, findings)
        else:
            known = {*SECTIONS, "defaults", "policy", "groups"}
            fix = near(name, known) or f"a file holds {', '.join((*SECTIONS, 'defaults'))}"
            if name == "namespace" and "groups" in root.keys:
                fix = "only Mimir knows it: drop it"
            edit = renamed(key, root, fix, known)
            findings.add("file/unknown-key", key, f'"{name}" is not a key of a file', fix, edit=edit)


def _is_prometheus(node: Node) -> bool:
    return isinstance(node, MappingNode) and ("alert" in node.values or "record" in node.values)


def _of_folder(
    name: str, key: ScalarNode, node: Node, known: dict[PurePosixPath, MappingNode], findings: Findings
) -> None:
    """Keep what a folder has one of: its defaults, its policy."""
    folder = PurePosixPath(key.file.path).parent
    if is_blank(node):
        return
    if not isinstance(node, MappingNode):
        findings.add(f"{name}/invalid", key, f"{name}: should be a mapping of keys to values")
    elif folder in known:
        first = known[folder].position
        says = f"this folder has {name} already, at {first.file}:{first.line}"
        findings.add(f"{name}/duplicate", key, says, "keep them in one place")
    else:
        known[folder] = node


def _section(section: str, key: ScalarNode, node: Node, gathered: Gathered, findings: Findings) -> None:
    if is_blank(node):
        return
    if not isinstance(node, MappingNode):
        what = SECTIONS[section]
        says = f"{section}: should be a mapping of names to entries"
        fix = f"write a {what}'s name, a colon, and below it its keys"
        if isinstance(node, SequenceNode) and any(_is_prometheus(item) for item in node.items):
            fix = "rules of Prometheus stand in a group: groups: [{name: x, rules: [...]}]"
        findings.add(f"{what}/invalid", key, says, fix)
        return
    if len(node.keys) > MOST_ENTRIES:
        findings.add(
            "file/shape", key, f"{section}: has more than {MOST_ENTRIES:,} entries", "part it into several files"
        )
        return
    known = gathered.entries[section]
    misplaced = _not_indented(node, findings, SECTIONS[section])
    for name, at in node.keys.items():
        if name in misplaced:
            continue
        entry = Entry(section, name, at, node.values[name])
        _check_name(entry, findings)
        if (first := known.get(name)) is not None:
            there = first.key.position
            says = f'the {entry.what} "{name}" is defined twice; the first is at {there}'
            findings.add(f"{entry.what}/duplicate", at, says, "rename or remove one of them")
        else:
            known[name] = entry


def _not_indented(node: MappingNode, findings: Findings, what: str) -> set[str]:
    """Return the keys at the height of an entry's name that belong below it, and that name; it is reported."""
    found: set[str] = set()
    names = list(node.values)
    heads = [at for at, name in enumerate(names) if is_blank(node.values[name])]
    for head, end in zip(heads, [*heads, len(names)][1:], strict=True):
        below = names[head + 1 : end]
        if any(isinstance(node.values[name], ScalarNode) for name in below):
            says = f'"{names[head]}" holds nothing: what belongs to the {what} is not indented'
            findings.add(f"{what}/missing", node.keys[names[head]], says, "indent the lines below it")
            found |= {names[head], *below}
    return found


def _check_name(entry: Entry, findings: Findings) -> None:
    if entry.section == "tests":  # a sentence, which nothing else names
        if not entry.name.strip() or not entry.name.isprintable():
            findings.add("test/name", entry.key, "a test's name should be one line", "say in a few words what holds")
        return
    if _NAME.fullmatch(entry.name) and len(entry.name) <= LONGEST_NAME:
        return
    better = re.sub(r"[^a-z0-9]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", entry.name).lower()).strip("-")
    fix = f'write "{better[:LONGEST_NAME]}"' if better and better != entry.name else ""
    says = f'"{entry.name}" is not a name: lower-case letters, digits and "-" between them, at most {LONGEST_NAME}'
    findings.add(f"{entry.what}/name", entry.key, says, fix)
