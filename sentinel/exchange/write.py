"""Write: a draft becomes files of a tree that passes `sentinel check`; what would not is left out, and told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import yaml

from sentinel.config.load import inspect
from sentinel.core.problem import Position, Problem
from sentinel.core.severity import Severity
from sentinel.exchange.draft import Draft

#: A mapping of more letters is written below its key.
_LONG = 90
_MODELINE = "# yaml-language-server: $schema=../.sentinel/schema.json"
#: In which file of a system the entries of a section are written.
_FILES = {
    "probes/{}.yaml": ("probes",),
    "rules/{}.yaml": ("rules",),
    "notifiers/{}.yaml": ("notifiers", "schedules", "routes", "mutes", "inhibit"),
}
#: Alertmanager's routes match labels, and stand where they are tried after those of other systems, which name rules.
_FILES_OF_ALERTMANAGER = {
    "notifiers/{}.yaml": ("notifiers", "schedules", "mutes", "inhibit"),
    "rules/{}-routes.yaml": ("routes",),
}


def settled(draft: Draft, now: datetime) -> dict[str, str]:
    """Return the files of a draft by path; entries that are wrong leave it, each with a note.

    A file that is copied as it is stays as it is: what is wrong in it is noted.
    """
    _complete(draft)
    while True:
        texts, lines = written(draft)
        problems = inspect({**draft.there.texts, **texts}, draft.values, now, undefined=Severity.WARNING).problems
        errors = [one for one in problems if one.severity >= Severity.ERROR and one.position.file in texts]
        bad = {at: error for error in reversed(errors) if (at := _entry_at(lines, error.position))}
        if not bad:
            _note_copied(draft, errors)
            return texts
        for (section, name), error in bad.items():
            _drop(draft, section, name, error.says)


def _complete(draft: Draft) -> None:
    """Give a tree without anybody to tell a notifier, so that it runs."""
    if not draft.sections.get("notifiers") and not draft.there.entries["notifiers"]:
        draft.sections["notifiers"] = {"terminal": {"console": {}}}
        draft.origins["notifiers", "terminal"] = Position("")


def written(draft: Draft) -> tuple[dict[str, str], dict[str, list[tuple[int, str, str]]]]:
    """Return the files by path, and where each entry begins in them: line, section and name."""
    texts = dict(draft.files)
    lines: dict[str, list[tuple[int, str, str]]] = {}
    files = _FILES_OF_ALERTMANAGER if draft.system == "alertmanager" else _FILES
    for file, sections in files.items():
        present = {name: draft.sections[name] for name in sections if draft.sections.get(name)}
        if not present:
            continue
        path = file.format(draft.system)
        text = f"{_MODELINE}\n# Written by `sentinel import {draft.system}`.\n"
        for section, entries in present.items():
            text += f"{section}:\n"
            for name, entry in entries.items():
                lines.setdefault(path, []).append((text.count("\n") + 1, section, name))
                text += _block({name: entry})
            text += "\n"
        texts[path] = text.rstrip("\n") + "\n"
    return texts, lines


def _block(entry: Mapping[str, Any]) -> str:
    text = yaml.dump(
        dict(entry), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000, default_flow_style=None
    )
    return "".join(f"  {line}\n" if line else "\n" for line in text.splitlines())


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and nothing twice by reference."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write each value where it stands."""
        return True

    def represent_mapping(self, tag: str, mapping: Any, flow_style: bool | None = None) -> yaml.MappingNode:
        """Write a mapping that is short in one line."""
        node = super().represent_mapping(tag, mapping, flow_style)
        if node.flow_style and sum(len(key.value) + len(value.value) + 4 for key, value in node.value) > _LONG:
            node.flow_style = False
        return node


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _entry_at(lines: Mapping[str, list[tuple[int, str, str]]], position: Position) -> tuple[str, str] | None:
    """Return the entry in which a position lies."""
    before = [one for one in lines.get(position.file, ()) if one[0] <= position.line]
    return before[-1][1:] if before else None


def _drop(draft: Draft, section: str, name: str, why: str) -> None:
    """Take an entry out; for a notifier, which routes lead to, one that writes to the agent's own output goes in."""
    at = draft.origins[section, name]
    if section == "notifiers" and "console" not in draft.sections[section][name]:
        draft.note(at, f"{name} writes to the agent's own output, for want of a better: {why}")
        draft.sections[section][name] = {"console": {}}
    else:
        draft.note(at, f"{name} is left out: {why}")
        del draft.sections[section][name]


def _note_copied(draft: Draft, errors: list[Problem]) -> None:
    for error in errors:
        draft.note(error.position, f"{error.says}; the file was copied as it is")
