"""Quick: plain arguments of `sentinel check` are read without Typer, which takes as long as a thousand rules."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sentinel.cli import told
from sentinel.cli.checking import FORMATS, LIMITS, Options, run

_FLAGS = {"--strict": "strict", "--online": "online", "--list": "list", "--no-cache": "no_cache", "--fix": "fix"}
_VALUES = {"--format": "format", "--fail-on": "fail_on", "--explain": "explain", "--diff": "diff"}
_CHOICES = {"format": FORMATS, "fail_on": LIMITS}


def quick(words: Sequence[str]) -> int | None:
    """Run the check, and return its exit code; None where Typer should read the arguments, or say what is wrong."""
    options = read(words)
    if options is None:
        return None
    try:
        return told(lambda: run(options))
    finally:
        gc.freeze()  # nor need circles be looked for at the end


def read(words: Sequence[str]) -> Options | None:
    """Return what plain arguments say; None where one is not plain."""
    given: dict[str, Any] = {}
    paths: list[Path] = []
    waiting = iter(words)
    for word in waiting:
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            paths.append(Path(word))
        elif word in _FLAGS:
            given[_FLAGS[word]] = True
        elif name in _VALUES:
            key = _VALUES[name]
            given[key] = value if equals else next(waiting, "")
            if given[key] not in _CHOICES.get(key, (given[key],)) or not given[key]:
                return None
        else:
            return None
    return Options(paths=tuple(paths), **given)
