"""The examples on the checks' pages, as the trees that they stand for."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from textwrap import indent

from sentinel.core.problem import Problem
from sentinel.lint.examine import Setting, examine

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
_TOP = re.compile(
    r"^(probes|rules|tests|notifiers|routes|inhibit|mutes|schedules|defaults|policy|groups)\s*:", re.MULTILINE
)


def tree(example: str) -> dict[str, str]:
    """Return the files of an example: `--- path` begins one; rules and keys of a rule stand where they belong."""
    first, *parts = re.split(r"^--- (\S+)\n", example + "\n", flags=re.MULTILINE)
    if parts:
        return dict(zip(parts[::2], parts[1::2], strict=True))
    return {"rules/example.yaml": _whole(first)}


def _whole(text: str) -> str:
    if _TOP.search(text) or not re.search(r"^[\w#-]", text, re.MULTILINE):
        return text
    if re.search(r"^- (alert|record):", text, re.MULTILINE):
        return "groups:\n- name: example\n  rules:\n" + indent(text, "  ")
    severity = (
        "" if re.search(r"^severity:|\b(warning|error|critical): ", text, re.MULTILINE) else "    severity: error\n"
    )
    return "rules:\n  example:\n" + indent(text, "    ") + severity


def found(example: str, folder: Path | None = None) -> tuple[Problem, ...]:
    """Return what is wrong with an example, taken for a whole tree."""
    texts = tree(example)
    yaml = {path: text for path, text in texts.items() if path.endswith((".yaml", ".yml"))}
    for path, text in texts.items():
        if folder is not None:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
    return examine(yaml, Setting({}, NOW, base=folder or Path())).problems
