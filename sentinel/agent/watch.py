"""Watching the tree of YAML: says when something may have changed, however the files come to be there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

#: A checkout writes many files: wait until none has changed for so long, at most for the second.
_SETTLED_MS = 100
_DEBOUNCE_MS = 400
#: Look by ourselves so often: a link far above the folder may have been exchanged, or a file system may not tell.
POLL_SECONDS = 2.0


def folders(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders to watch: those that the paths lead to now, and those that hold a link on the way.

    A ConfigMap is published by exchanging the link `..data` in the folder itself, git-sync exchanges a link above it;
    a watch on a file, or on the folder behind a link, hears of neither.
    """
    found: set[Path] = set()
    for path in paths:
        folder = path if path.is_dir() else path.parent
        found.add(folder.resolve())
        found |= {step.parent.resolve() for step in (path.absolute(), *path.absolute().parents) if step.is_symlink()}
    return tuple(sorted(folder for folder in found if folder.is_dir()))


async def changes(paths: Sequence[Path], poll_seconds: float = POLL_SECONDS) -> AsyncIterator[None]:
    """Yield whenever the tree may have changed: at once when the system says so, and every few seconds anyhow."""
    from watchfiles import awatch

    while True:
        watched = folders(paths)
        if not watched:
            await asyncio.sleep(poll_seconds)
            yield
            continue
        try:
            async for _ in awatch(
                *watched,
                watch_filter=None,
                debounce=_DEBOUNCE_MS,
                step=_SETTLED_MS,
                rust_timeout=round(poll_seconds * 1000),
                yield_on_timeout=True,
                recursive=True,
            ):
                yield
                if folders(paths) != watched:
                    break
        except OSError:  # a folder went away between the two lines, or there are no watches left: poll
            await asyncio.sleep(poll_seconds)
            yield
