"""Read a node as a model: substitution, validation, and every error at its place in the file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sentinel.config.edits import in_place_of, renamed
from sentinel.config.explain import in_words, keys_at
from sentinel.config.findings import Findings
from sentinel.config.meant import Meant
from sentinel.config.meant import meant as meant_by
from sentinel.config.substitute import Filled, Substitution
from sentinel.config.suspects import value_meant
from sentinel.config.synonyms import meant, proposal
from sentinel.config.tree import MappingNode, Node, ScalarNode, SequenceNode, is_blank
from sentinel.core.fields import Model, Plain
from sentinel.core.problem import Position, Problem
from sentinel.core.schedule import Schedule
from sentinel.core.severity import Severity

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class Found:
    """Where a location leads: the node, the key that it stands under, and what people call it in a message.

    A severity is no name of its own: `above: {fatal: 5}` is wrong in `above`.
    """

    node: Node
    key: ScalarNode | None = None
    label: str = ""


@dataclass(slots=True)
class Reader:
    """Reads nodes with one substitution, and reports into one place.

    Args:
        findings: where problems go.
        substitution: what references stand for.
        schedules: by name, for whoever names one.
        verbatim: whether what is read is another program's: nothing is filled in, and a key with nothing behind it is
            as if it were left out.
    """

    findings: Findings
    substitution: Substitution
    schedules: Mapping[str, Schedule] = field(default_factory=dict)
    verbatim: bool = False

    def model(
        self,
        model: type[M],
        node: Node,
        section: str,
        what: str,
        key: ScalarNode | None = None,
        data: Any = None,
        timezone: str = "UTC",
    ) -> M | None:
        """Validate a node; None where it is not valid, which is reported, or where a reference has no value.

        Args:
            model: what it should be.
            node: what is there.
            section: room of the check's name: "probe".
            what: what people call it: "a probe".
            key: under which it stands.
            data: the node's data, if they are not as they are written.
            timezone: of schedules that do not say one.
        """
        if key is not None and is_blank(node):
            self.findings.add(f"{section}/empty", key, f'"{key.text}" holds nothing')
            return None
        if not self.verbatim:
            self._empty_values(node, section)
        try:
            given = self.data(node) if data is None else data
            return model.model_validate(given, context={"schedules": self.schedules, "timezone": timezone})
        except ValidationError as invalid:
            errors = invalid.errors(include_url=False, include_input=False)
        for error in islice(_one_a_place(errors), MOST_ERRORS):
            self._report(error, model, entry(node, key), section, what)
        return None

    def data(self, node: Node) -> Any:
        """Return a node as mappings, lists and texts, references filled in; `Plain` for a scalar without quotes."""
        match node:
            case ScalarNode():
                text = node.text if self.verbatim else self.substitution.fill(node).text
                return text if node.style else Plain(text)
            case MappingNode():
                values = node.values.items()
                return {key: self.data(value) for key, value in values if not (self.verbatim and is_blank(value))}
            case SequenceNode():
                return [self.data(item) for item in node.items]
        raise TypeError(type(node))

    def text(self, node: Node) -> str | None:
        """Return a scalar's text, None where it is no scalar or a reference in it has no value."""
        if not isinstance(node, ScalarNode):
            return None
        filled = self.substitution.fill(node)
        return None if filled.missing else filled.text

    def undecided(self, node: Node) -> bool:
        """Say whether what a node says is not known: a reference in it has no value, or it was no good YAML."""
        match node:
            case ScalarNode():
                filled = self.substitution.fill(node)
                return filled.missing or is_blank(node)
            case MappingNode():
                return node.broken or any(self.undecided(value) for value in node.values.values())
            case SequenceNode():
                return any(self.undecided(item) for item in node.items)
        return False

    def _report(self, error: ErrorDetails, model: type[Model], root: Found, section: str, what: str) -> None:
        loc = error["loc"]
        if error["type"] == "extra_forbidden":
            self._unknown_key(loc, model, root, section, what)
        elif error["type"] == "missing":
            found = locate(root, loc[:-1])
            if not _told_elsewhere(found.node, section, loc):
                meaning = keys_at(model, loc[:-1]).get(str(loc[-1]), "")
                at = _headline(found)
                self.findings.add(f"{section}/missing", at, f'"{loc[-1]}" is missing', meaning.rstrip("."))
        else:
            found = locate(root, loc)
            if not self.undecided(found.node):
                self.report(in_words(error), found, section)

    def _unknown_key(self, loc: tuple[Any, ...], model: type[Model], root: Found, section: str, what: str) -> None:
        name = str(loc[-1])
        parent = locate(root, loc[:-1])
        known = keys_at(model, loc[:-1])
        key = parent.node.keys.get(name) if isinstance(parent.node, MappingNode) else None
        owner = f'"{parent.label}"' if parent.label and loc[:-1] else what
        says = f'"{name}" is not a key of {owner}'
        fix = proposal(section, name, known)
        if what.startswith('"') and not loc[:-1] and not fix.startswith("did you mean") and name in _beside(section):
            fix = f"it stands beside {parent.label}, one level further out"
        edit = renamed(key, parent.node, fix, known) if key is not None else None
        self.findings.add(f"{section}/unknown-key", key or _headline(parent), says, fix, edit=edit)

    def report(self, says: str, found: Found, section: str, fix: str = "") -> None:
        """Report a value.

        Words that begin with one of its keys are about what stands under that; behind "; " stands a proposal.
        """
        name, colon, rest = says.partition(": ")
        if colon and isinstance(found.node, MappingNode) and name in found.node.values:
            found, says = locate(found, (name,)), rest
        says, _, remedy = says.partition("; ")
        if isinstance(found.node, ScalarNode) and (not remedy or says.endswith("is not a quantity")):
            remedy = value_meant(found.node.text) or remedy
        found = _part(found, says)
        edit = None
        if not fix and (better := _better(says, found.node)) is not None:
            remedy = f"write {better.text}"
            edit = in_place_of(found.node, better.text) if better.sure else None
        elif not fix and says.endswith("is not a duration") and (sure := re.fullmatch(r"write ([^\s,]+)", remedy)):
            edit = in_place_of(found.node, sure[1])
        elif isinstance(found.node, SequenceNode) and says.startswith("should be a mapping"):
            remedy = remedy or "write name: value, one a line, without dashes"
        says = f"{found.label}: {says}" if found.label else says
        says, remedy = self.conceal(found.node, says), self.conceal(found.node, fix or remedy)
        self.findings.add(f"{section}/invalid", _headline(found), says, remedy, edit=edit)

    def conceal(self, node: Node, words: str) -> str:
        """Return words about a node with everything that was filled in below it written as its reference again."""
        match node:
            case ScalarNode():
                return self.substitution.fill(node).conceal(words)
            case MappingNode():
                for value in node.values.values():
                    words = self.conceal(value, words)
            case SequenceNode():
                for item in node.items:
                    words = self.conceal(item, words)
        return words

    def _empty_values(self, node: Node, section: str) -> None:
        """Report keys with nothing behind them: half an edit, never a value."""
        match node:
            case MappingNode():
                for name, value in node.values.items():
                    if is_blank(value):
                        says, key = f"{name}: has no value", node.keys[name]
                        rest = key.file.line(key.position.line)[key.position.column :]
                        comment = re.search(r":\s+(#\S.*)", rest)
                        fix = 'write one, or "" for an empty text'
                        if comment:
                            fix = f'a # begins a comment; write "{comment[1].rstrip()}"'
                        self.findings.add(f"{section}/empty", key, says, fix)
                    else:
                        self._empty_values(value, section)
            case SequenceNode():
                for item in node.items:
                    self._empty_values(item, section)

    def at(self, node: Node, begin: int, end: int) -> Position:
        """Return the position of a part of a scalar's value; that of the whole node where there is no part."""
        if isinstance(node, ScalarNode) and end > begin:
            filled: Filled = self.substitution.fill(node)
            return filled.place(begin, end)
        return node.position


def entry(node: Node, key: ScalarNode | None) -> Found:
    """Return where an entry itself stands."""
    return Found(node, key, key.text if key else "")


def locate(root: Found, loc: tuple[Any, ...]) -> Found:
    """Follow a pydantic location down the nodes; parts that are no key here (branches of unions) are passed over."""
    found, above = root, ""
    for part in loc:
        node = found.node
        if isinstance(node, MappingNode) and str(part) in node.values:
            above = found.label
            key = node.keys[str(part)]
            label = found.label if key.text in _SEVERITIES and found.label else key.text
            found = Found(node.values[str(part)], key, label)
        elif isinstance(node, SequenceNode) and isinstance(part, int) and part < len(node.items):
            found = Found(node.items[part], None, found.label)
        elif part == "[key]" and found.key is not None:
            found = Found(found.key, found.key, above or found.label)
    return found


def position_at(root: Found, path: tuple[str | int, ...] = ()) -> Position:
    """Return where something stands: a mapping or list by the key above it."""
    return _headline(locate(root, path)).position


def problem_at(root: Found, path: tuple[str | int, ...], check: str, says: str, fix: str = "") -> Problem:
    """Return an error about what stands under a path of keys: `("expect", 0, "severity")`."""
    position = position_at(root, path)
    return Problem(check, Severity.ERROR, position, says, fix, excerpt=root.node.file.line(position.line))


def _told_elsewhere(node: Node, section: str, loc: tuple[Any, ...]) -> bool:
    """Say whether a key that is missing is no good YAML, or there under another program's name: both are reported."""
    wanted = (str(loc[-1]),)
    return isinstance(node, MappingNode) and (node.broken or any(meant(section, name, wanted) for name in node.keys))


def _part(found: Found, says: str) -> Found:
    """Return the item of a list, or the value of a mapping, whose text the words about the whole begin with."""
    quoted = re.match(r'"([^"]+)" ', says)
    if quoted is None or isinstance(found.node, ScalarNode):
        return found
    values = found.node.values.values() if isinstance(found.node, MappingNode) else getattr(found.node, "items", ())
    for value in values:
        if isinstance(value, ScalarNode) and value.text.lower() == quoted[1].lower():
            return Found(value, None, found.label)
    return found


def _beside(section: str) -> frozenset[str]:
    """Return the keys that stand beside the word of a kind, and not under it."""
    from sentinel.config.entries import NotifierKeys, ProbeKeys, RuleEntry, keys_of

    common = {"probe": ProbeKeys, "rule": RuleEntry, "notifier": NotifierKeys}.get(section)
    return keys_of(common) if common is not None else frozenset()


def _better(says: str, node: Node) -> Meant | None:
    """Return what was meant by a text; nothing is known of one that is filled in."""
    return meant_by(says, node.text) if isinstance(node, ScalarNode) and not _FILLED.search(node.text) else None


def _headline(found: Found) -> Node:
    """Return what to point at: a scalar itself, and a mapping or list by the key that it stands under."""
    if isinstance(found.node, ScalarNode) or found.key is None:
        return found.node
    return found.key


def _one_a_place(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """Yield one error for each value: a union reports each of its branches, and the first that is ours says most."""
    places: dict[tuple[Any, ...], ErrorDetails] = {}
    for error in errors:
        place = tuple(part for part in error["loc"] if not _is_branch(part))
        known = places.get(place)
        if known is None or (known["type"] not in _OURS and error["type"] in _OURS):
            places[place] = error
    yield from places.values()


_FILLED = re.compile(r"\$\{(?:file:|[A-Z])[^}]*\}")
#: So many problems of one entry are told.
MOST_ERRORS = 100
_SEVERITIES = frozenset(map(str, Severity))
_OURS = frozenset({"value_error", "extra_forbidden", "missing"})


def _is_branch(part: object) -> bool:
    """Say whether a part of a location names a branch of a union: `function-before[…]`, `list[str]`, a class."""
    return isinstance(part, str) and part != "[key]" and ("[" in part or part[:1].isupper() or part in _TYPES)


_TYPES: Mapping[str, None] = dict.fromkeys(
    ("str", "int", "float", "bool", "none", "constrained-str", "constrained-int")
)
