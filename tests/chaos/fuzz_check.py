"""What atheris feeds: bytes are a file, and all that can be said of it is said. Run by test_fuzz_check.py."""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module

import atheris

with atheris.instrument_imports(include=["sentinel"]):
    from sentinel.config.render import as_json, as_text
    from sentinel.config.source import decode
    from sentinel.lint import CHECKS
    from sentinel.lint.examine import Setting, examine
    from sentinel.lint.mend import mend
    from sentinel.lint.page import check_module

    # What is imported only when it is needed is to be instrumented, too.
    import_module("sentinel.config.load")
    for name in CHECKS:
        check_module(name)
    for registry in import_module("sentinel.config.kinds").REGISTRIES.values():
        for word in registry.own:
            registry.load(word)

SETTING = Setting({"SMTP_PASSWORD": "hunter2-secret"}, datetime(2026, 1, 1, tzinfo=UTC))


def look(content: bytes) -> None:
    """Say all that is wrong with a file; whatever is raised is a mistake of ours."""
    with suppress(ValueError):
        text = decode(content)
        told(text)


def told(text: str) -> None:
    """Look at a text as a file of a tree."""
    try:
        found = examine({"rules/x.yaml": text}, SETTING)
        as_text(found.problems, colour=True)
        as_json(found.problems)
        if edits := [problem.edit for problem in found.problems if problem.edit]:
            examine({"rules/x.yaml": mend(text, edits)[0]}, SETTING)
    except ValueError as exc:
        raise RuntimeError("a ValueError reached the user") from exc


if __name__ == "__main__":
    atheris.Setup(sys.argv, look)
    atheris.Fuzz()
