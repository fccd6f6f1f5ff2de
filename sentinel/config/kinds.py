"""Kinds: which word of an entry says what it is, ours or a plugin's, and what to say when none does."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache

from sentinel import notifiers, probes, rules
from sentinel.config.edits import renamed
from sentinel.config.entries import NotifierKeys, ProbeKeys, RuleEntry, keys_of
from sentinel.config.findings import Findings
from sentinel.config.gather import Entry
from sentinel.config.suspects import meant_as_mapping
from sentinel.config.synonyms import proposal
from sentinel.config.tree import MappingNode, ScalarNode, is_blank
from sentinel.core.errors import SentinelError
from sentinel.core.fields import Model


@dataclass(frozen=True, slots=True)
class Registry:
    """The words that one section knows.

    Args:
        section: of the tree.
        noun: "kind" or "form".
        common: the keys that each entry may have beside its word.
        own: our words.
        every: all words, those of installed plugins included; asked only where ours do not do.
        load: imports what a word stands for.
    """

    section: str
    noun: str
    common: type[Model]
    own: Iterable[str]
    every: Callable[[], Iterable[str]]
    load: Callable[[str], type[Model]]


#: So many keys of one entry that are not known are told.
MOST_STRANGERS = 100
REGISTRIES = {
    "probes": Registry("probes", "kind", ProbeKeys, probes.KINDS, probes.names, probes.kind),
    "rules": Registry("rules", "form", RuleEntry, rules.FORMS, lambda: rules.FORMS, rules.form_named),
    "notifiers": Registry("notifiers", "kind", NotifierKeys, notifiers.KINDS, notifiers.names, notifiers.kind),
}


def choose(entry: Entry, registry: Registry, findings: Findings) -> tuple[str, type[Model]] | None:
    """Return the one word of an entry that says what it is, and what the word stands for; else report why not."""
    if not isinstance(entry.node, MappingNode):
        if is_blank(entry.node):
            findings.add(f"{entry.what}/missing", entry.key, f'"{entry.name}" holds nothing', _one_of(registry))
        else:
            says = f"{entry.name}: should be a mapping of keys to values"
            text = entry.node.text if isinstance(entry.node, ScalarNode) else ""
            findings.add(f"{entry.what}/invalid", entry.node, says, meant_as_mapping(text) or _one_of(registry))
        return None
    common = keys_of(registry.common)
    others = [name for name in entry.node.keys if name not in common]
    words = [name for name in others if name in set(registry.own)]
    if len(words) < len(others):
        words = [name for name in others if name in _every_word(entry.section)]
    _report_strangers(entry, registry, [name for name in others if name not in words], words, findings)
    if len(words) > 1:
        says = f'"{entry.name}" has several {registry.noun}s: {", ".join(words)}'
        at = entry.node.keys[words[1]]
        findings.add(f"{entry.what}/{registry.noun}", at, says, f"keep one, or write several {entry.what}s")
        return None
    if not words:
        if len(others) == 0 and not entry.node.broken:
            says = f'"{entry.name}" has no {registry.noun}'
            findings.add(f"{entry.what}/{registry.noun}", entry.key, says, _one_of(registry))
        return None
    return _load(entry, registry, words[0], findings)


def _report_strangers(
    entry: Entry, registry: Registry, strangers: list[str], words: list[str], findings: Findings
) -> None:
    assert isinstance(entry.node, MappingNode)
    for name in strangers[:MOST_STRANGERS]:
        known = {*keys_of(registry.common), *_every_word(entry.section)}
        says = f'"{name}" is not a key of a {entry.what}'
        fix, key = proposal(entry.what, name, known), entry.node.keys[name]
        if not fix and len(words) == 1 and words[0] in registry.own and name in _keys_under(registry, words[0]):
            fix = f"it stands under {words[0]}, one level further in"
        findings.add(f"{entry.what}/unknown-key", key, says, fix, edit=renamed(key, entry.node, fix, known))


def _keys_under(registry: Registry, word: str) -> frozenset[str]:
    return keys_of(registry.load(word))


def _load(entry: Entry, registry: Registry, word: str, findings: Findings) -> tuple[str, type[Model]] | None:
    try:
        return word, registry.load(word)
    except (SentinelError, ValueError) as exc:
        assert isinstance(entry.node, MappingNode)
        findings.add(f"{entry.what}/{registry.noun}", entry.node.keys[word], str(exc), "look at that package")
    return None


@cache
def _every_word(section: str) -> frozenset[str]:
    """Return all words of a section; looking for plugins reads the metadata of every installed package."""
    return frozenset(REGISTRIES[section].every())


def _one_of(registry: Registry) -> str:
    return f"add one of {', '.join(sorted(registry.own))}"
