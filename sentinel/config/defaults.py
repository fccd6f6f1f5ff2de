"""Defaults: an entry gets the keys that it leaves out from its folder and from those above, nearest first."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from sentinel.config.edits import renamed
from sentinel.config.findings import Findings
from sentinel.config.gather import SECTIONS, Entry, Gathered
from sentinel.config.tree import MappingNode, Node, ScalarNode, is_blank
from sentinel.core.problem import near
from sentinel.core.severity import Severity

_SEVERITIES = frozenset(map(str, Severity))
#: What a rule may say for each of its severities; defaults may speak of severities that some of the rules do not have.
_PER_SEVERITY = ("for", "keep_firing_for", "recover")


def check_defaults(gathered: Gathered, findings: Findings, known: Mapping[str, Iterable[str]]) -> None:
    """Report keys of `defaults` that no entry could take.

    Args:
        gathered: everything that was read.
        findings: where to report.
        known: for each section that may have defaults, the keys and kinds of its entries.
    """
    for node in gathered.defaults.values():
        for name, value in node.values.items():
            key = node.keys[name]
            if name == "timezone":
                continue
            if name not in known:
                fix = near(name, {*known, "timezone"}, "it takes")
                findings.add("defaults/unknown-key", key, f'"{name}" is not a key of defaults', fix)
            elif isinstance(value, MappingNode):
                for inner in value.keys.values():
                    if inner.text not in (words := set(known[name])):
                        says = f'"{inner.text}" is not a key of a {SECTIONS[name]}'
                        fix = near(inner.text, words, "it takes")
                        edit = renamed(inner, value, fix, words)
                        findings.add("defaults/unknown-key", inner, says, fix, edit=edit)
            elif not is_blank(value):
                findings.add("defaults/invalid", key, f"{name}: should be a mapping of keys to values")


def timezone_node(gathered: Gathered, entry: Entry) -> Node | None:
    """Return where the time zone that an entry's defaults give it is written."""
    for node in gathered.defaults_for(entry):
        if "timezone" in node.values:
            return node.values["timezone"]
    return None


def with_defaults(gathered: Gathered, entry: Entry, kind: str, short: str | None, common: Iterable[str]) -> Node:
    """Return an entry's node with the keys laid under it that it leaves out.

    Args:
        gathered: everything that was read.
        entry: which entry.
        kind: the word of its kind or form; defaults of other kinds pass it by.
        short: the field that a single word under the kind's word fills.
        common: the keys beside the kind's that it may take.
    """
    node, common = entry.node, frozenset(common)
    for defaults in gathered.defaults_for(entry):
        given = defaults.values.get(entry.section)
        if isinstance(node, MappingNode) and isinstance(given, MappingNode):
            node = _fill(node, given, kind, short, common)
    return node


def _fill(node: MappingNode, given: MappingNode, kind: str, short: str | None, common: frozenset[str]) -> MappingNode:
    keys, values = dict(node.keys), dict(node.values)
    for name, said in given.values.items():
        default = _fitting(name, said, node, given, kind)
        if default is None:
            continue
        if name not in values:
            if name in common:
                keys[name], values[name] = given.keys[name], default
        elif isinstance(default, MappingNode):
            own = values[name]
            if name == kind and short is not None and not isinstance(own, MappingNode):
                own = MappingNode(own.file, own.begin, own.end, {short: keys[name]}, {short: own})
            if isinstance(own, MappingNode):
                values[name] = _merged(own, default)
    return replace(node, keys=keys, values=values)


def _merged(own: MappingNode, default: MappingNode) -> MappingNode:
    keys, values = {**default.keys, **own.keys}, {**default.values, **own.values}
    for name, mine in own.values.items():
        theirs = default.values.get(name)
        if isinstance(mine, MappingNode) and isinstance(theirs, MappingNode):
            values[name] = _merged(mine, theirs)
    return replace(own, keys=keys, values=values)


def _fitting(name: str, said: Node, node: MappingNode, given: MappingNode, kind: str) -> Node | None:
    """Return a default as far as it is about the severities of a rule; None where nothing of it is."""
    if name == "severity":
        return None if _named_severities(node, kind) else said
    if name not in _PER_SEVERITY or not isinstance(said, MappingNode) or not said.keys.keys() <= _SEVERITIES:
        return said
    levels = _severities(node, given, kind)
    keys = {level: key for level, key in said.keys.items() if level in levels}
    return replace(said, keys=keys, values={level: said.values[level] for level in keys}) if keys else None


def _severities(node: MappingNode, given: MappingNode, kind: str) -> Collection[str]:
    """Return the severities of a rule; every one where nobody knows them, as of a burn rate."""
    whole = node.values.get("severity", given.values.get("severity"))
    return _named_severities(node, kind) or ({whole.text} if isinstance(whole, ScalarNode) else _SEVERITIES)


def _named_severities(node: MappingNode, kind: str) -> frozenset[str]:
    """Return the severities that a rule names in a threshold, so that one for the whole rule has no place."""
    under = node.values.get(kind)
    inner = under.values.values() if isinstance(under, MappingNode) else ()
    thresholds = (node.values.get("above"), node.values.get("below"), *inner)
    named = (frozenset(part.keys) for part in thresholds if isinstance(part, MappingNode))
    return frozenset().union(*(keys for keys in named if keys <= _SEVERITIES))
