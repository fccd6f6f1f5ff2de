"""Draft: the tree that an import makes, and what it could not carry over."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sentinel.core.problem import Position
from sentinel.core.quantity import format_duration
from sentinel.exchange.given import Given
from sentinel.exchange.note import Note
from sentinel.exchange.there import There

_REFERENCE = re.compile(r"\$\{[A-Z][A-Z0-9_]*\}")
_LONGEST = 80


@dataclass(eq=False)
class Draft:
    """Entries by section and name, as they will be written.

    Args:
        system: what they come from, for names of files.
        sections: entries by section and name.
        files: texts of whole files by their path in the tree, copied as they are.
        notes: what could not be carried over.
        secrets: names of what must be set, and what each is.
        origins: where each entry comes from.
        values: what the names stood for, to look with whether what is made is good; never written.
        there: what the tree that it goes into holds already.
    """

    system: str
    sections: dict[str, dict[str, Any]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    secrets: dict[str, str] = field(default_factory=dict)
    origins: dict[tuple[str, str], Position] = field(default_factory=dict)
    values: dict[str, str] = field(default_factory=dict, repr=False)
    there: There = field(default_factory=There, repr=False)

    def add(self, section: str, wanted: str, entry: Any, given: Given) -> str:
        """Add an entry under a name as near as can be to the one that is wanted, and return that."""
        known = self.sections.setdefault(section, {})
        base, taken = kebab(wanted) or self.system, {*known, *self.there.entries[section]}
        name = next(one for n in range(1, len(taken) + 2) if (one := base if n == 1 else f"{base}-{n}") not in taken)
        known[name] = entry
        self.origins[section, name] = given.position
        return name

    def note(self, given: Given | Position, says: str) -> None:
        """Say what could not be carried over."""
        note = Note(given if isinstance(given, Position) else given.position, says)
        if note not in self.notes:
            self.notes.append(note)

    def secret(self, hint: str, value: str, what: str = "") -> str:
        """Return a reference for a value that must not stand in a file; one that is a reference already stays.

        Args:
            hint: what it is called: "slack webhook".
            value: it, "" where there is none.
            what: for people, where the name does not say it.
        """
        if not value or _REFERENCE.fullmatch(value):
            if value:
                self.secrets.setdefault(value[2:-1], what or hint)
            return value
        name = re.sub(r"[^A-Z0-9]+", "_", kebab(hint).upper()).strip("_")
        name = name if name[:1].isalpha() else f"S_{name}"
        names = (name if n == 1 else f"{name}_{n}" for n in range(1, 1000))
        name = next(one for one in names if one not in self.there.secrets and self.values.get(one) in (None, value))
        self.values[name] = value
        self.secrets.setdefault(name, what or hint)
        return f"${{{name}}}"

    def secret_file(self, path: str) -> str:
        """Return a reference to a file that holds a secret."""
        return f"${{file:{path}}}" if path else ""

    def tell(self, heard: Mapping[tuple[str, ...], list[str]], everyone: Iterable[str], given: Given) -> None:
        """Add routes: for the rules that the same notifiers hear of, and for the rest."""
        for names, rules in heard.items():
            self.add("routes", "-".join(names), {"match": {"rule": rules}, "notify": list(names)}, given)
        if rest := list(everyone):
            self.tell_rest({"notify": rest}, self.own, given)

    @property
    def own(self) -> Mapping[str, str]:
        """What the alerts of its rules match, and no other; a path may be shown with the folders above the tree."""
        return {"file": f"*rules/{self.system}.yaml"}

    def tell_rest(self, route: Mapping[str, Any], own: Mapping[str, str], given: Given) -> None:
        """Add the route for what no other took; where the tree has one, for what is its own, and say so.

        Args:
            route: it, without `match`.
            own: what the alerts that it is meant for match.
            given: where it comes from.
        """
        if (first := self.there.catch_all) is None:
            self.add("routes", "everything-else", dict(route), given)
            return
        name = self.add("routes", f"everything-else-of-{self.system}", {"match": dict(own), **route}, given)
        says = f"{first.name} at {first.key.position} takes what no other route took; {name} takes what is of this file"
        self.note(given, says)

    def leave_over(self, given: Given) -> None:
        """Note everything in a file that nobody asked for."""
        for position, says in given.source.left_over():
            self.note(position, says)


def kebab(text: str) -> str:
    """Return a text as a name: lower-case letters and digits, parted by "-"."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z][a-z])", "-", text)
    return re.sub(r"[^a-z0-9]+", "-", parted.lower()).strip("-")[:_LONGEST].strip("-")


def label(text: str) -> str:
    """Return a text as the name of a label: letters, digits and "_"."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "tag"
    return f"_{name}" if name[0].isdigit() else name


def literal(text: str) -> str:
    """Return a text that is no template as a template that says it."""
    return re.sub(r"\{[{%#]", lambda found: f'{{{{ "{found[0]}" }}}}', text)


def duration(seconds: float) -> str:
    """Write seconds as a duration."""
    return format_duration(timedelta(milliseconds=round(seconds * 1000)))
