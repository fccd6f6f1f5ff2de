"""Memory: what was said of a rule file is kept by its content, so that only what changed is looked at again.

One file for each set of paths, in `$XDG_CACHE_HOME/sentinel` (default ~/.cache/sentinel); it may be deleted.
It is JSON and nothing in it is run; what cannot be read or written is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sentinel import __version__
from sentinel.config.source import SourceFile
from sentinel.lint.crowd import Spread
from sentinel.lint.onefile import FileReport

#: Fewer characters are looked at faster than they are remembered.
WORTH_KEEPING = 100_000
#: What a report depends on beside its file: these rooms of ours.
_ROOMS = ("config", "core", "lint", "promql", "rules")


class Memory:
    """Looks at rule files, and remembers what it found."""

    def __init__(self, folder: Path, look: Spread) -> None:
        self._folder, self._look = folder, look

    def __call__(self, files: Sequence[SourceFile]) -> list[FileReport]:
        """Return the report on each file; those that are new are looked at."""
        if sum(len(file.text) for file in files) < WORTH_KEEPING:
            return self._look.reports(files)
        names = "\0".join((os.getcwd(), *(file.path for file in files)))
        key = hashlib.sha256(names.encode("utf-8", "surrogatepass")).hexdigest()
        path = self._folder / f"check-{key[:16]}.json"
        known = _read(path)
        marks = [_mark(file) for file in files]
        new = [file for file, mark in zip(files, marks, strict=True) if mark not in known]
        found = dict(zip((file.path for file in new), self._look.data(new), strict=True))
        data = [
            found[file.path] if file.path in found else known[mark] for file, mark in zip(files, marks, strict=True)
        ]
        if new or len(known) > len(set(marks)):
            _write(path, dict(zip(marks, data, strict=True)))
        return [FileReport.from_data(file, one) for file, one in zip(files, data, strict=True)]


def folder_of(environ: Mapping[str, str]) -> Path | None:
    """Return where this user's programs keep what they can make again; None where there is no such place."""
    if given := environ.get("XDG_CACHE_HOME"):
        return Path(given) / "sentinel"
    home = environ.get("HOME")
    return Path(home) / ".cache" / "sentinel" if home else None


def _mark(file: SourceFile) -> str:
    return hashlib.sha256(file.text.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> Mapping[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
        return kept["files"] if kept["by"] == _whose() else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _write(path: Path, files: Mapping[str, Any]) -> None:
    text = json.dumps({"by": _whose(), "files": files}, ensure_ascii=False, separators=(",", ":"))
    with suppress(OSError, ValueError):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(f".{os.getpid()}")
        new.write_text(text, encoding="utf-8")
        new.replace(path)


def _whose() -> str:
    """Return what tells one version of this program from another, also while it is worked on."""
    package = Path(__file__).parents[1]
    parts = [__version__, sys.version]
    for room in _ROOMS:
        for folder, _, names in sorted(os.walk(package / room)):
            for name in sorted(names):
                if not name.endswith(".pyc"):
                    seen = os.stat(os.path.join(folder, name))
                    parts.append(f"{name} {seen.st_size} {seen.st_mtime_ns}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
