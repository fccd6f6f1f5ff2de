"""Provenance: whose commit a tree is, asked of the git program once per load."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PATIENCE_SECONDS = 5


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a tree comes from; empty where nobody knows.

    Args:
        commit: that is checked out.
        author: of that commit.
        dirty: whether the files differ from it.
    """

    commit: str = ""
    author: str = ""
    dirty: bool = False


def provenance(paths: Sequence[Path]) -> Provenance:
    """Ask git about the folder of the first path; without git, look for the name that git-sync gives to its folders."""
    if not paths:
        return Provenance()
    folder = paths[0] if paths[0].is_dir() else paths[0].parent
    known = _git(folder, "log", "-1", "--format=%H%n%an")
    if known and (lines := known.splitlines()):
        changed = _git(folder, "status", "--porcelain", "--", *map(str, (path.resolve() for path in paths)))
        return Provenance(lines[0], lines[1] if len(lines) > 1 else "", bool(changed))
    return Provenance(commit=_git_sync(folder))


def _git(folder: Path, *arguments: str) -> str:
    """Return what git prints, "" where it is missing, refuses, or takes too long."""
    environ = os.environ | {"GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(  # noqa: S603  # a fixed program with fixed words; paths stand behind `--`
            ["git", "-C", str(folder.resolve()), *arguments],  # noqa: S607  # the user's own git
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_SECONDS,
            env=environ,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout if done.returncode == 0 else ""


def _git_sync(folder: Path) -> str:
    """Return the commit that git-sync's link leads to: its work trees are named by it."""
    real = Path(os.path.realpath(folder))
    return next((part for part in reversed(real.parts) if _COMMIT.fullmatch(part)), "")
