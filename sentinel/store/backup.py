"""Backup: a copy of a database while an agent writes it, in small steps; the copy is whole, or it is not there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from sentinel.core.errors import StoreUnavailable
from sentinel.store.place import check_place
from sentinel.store.trouble import in_words

#: Copied in one step: 4 MB, so that neither the disk nor whoever waits for it is held up for long.
_PAGES = 1024


def back_up(
    source: Path, target: Path, *, force: bool = False, progress: Callable[[int, int], None] = lambda _done, _of: None
) -> None:
    """Copy a database.

    1. Refuse what would destroy something: the database itself, a file that is there, one that somebody has open.
    2. Copy into `target` with `.part` added, out of one read transaction: what is committed meanwhile is not in it.
       (Without that transaction, SQLite begins anew with each commit of another connection, and a copy of a busy
       database never ends: https://sqlite.org/backup.html.)
    3. Let the copy be a plain file without a log beside it, on disk to the last byte.
    4. Move it to its name, and that to the disk as well.

    Args:
        source: the database's file.
        target: where the copy shall be.
        force: whether it may take the place of another file.
        progress: hears how many pages were copied, and of how many.

    Raises:
        StoreUnavailable: it cannot be done; the text says why, and nothing was left behind.
    """
    target = target.resolve()
    check_place(target)
    _check_free(source, target, force=force)
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        part.touch(source.stat().st_mode & 0o777)
        _copy(source, part, progress)
        _sync(part)
        if force:
            part.replace(target)
        else:
            target.hardlink_to(part)  # unlike a move, it fails if somebody was quicker
            part.unlink()
        _sync(target.parent)
    except FileExistsError as exc:
        raise _taken(target) from exc
    except OSError as exc:
        raise StoreUnavailable(f"{target} cannot be written: {exc.strerror}") from exc
    finally:
        for left in (part, part.with_name(part.name + "-journal")):
            left.unlink(missing_ok=True)


def _check_free(source: Path, target: Path, *, force: bool) -> None:
    if target.exists() and target.samefile(source):
        raise StoreUnavailable(f"{target} is the database itself; name another file")
    if target.exists() and not force:
        raise _taken(target)
    if target.with_name(target.name + "-wal").exists():
        raise StoreUnavailable(f"{target} is a database that somebody has open; name another file")


def _taken(target: Path) -> StoreUnavailable:
    return StoreUnavailable(f"{target} exists; name another file, or give --force to replace it")


def _copy(source: Path, part: Path, progress: Callable[[int, int], None]) -> None:
    with (
        in_words(source),
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None)) as reading,
    ):
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master")  # now it stands at one commit
        with in_words(part), closing(sqlite3.connect(part, isolation_level=None)) as writing:
            reading.backup(
                writing, pages=_PAGES, progress=lambda _, left, pages: progress(pages - left, pages), sleep=0
            )
            writing.execute("PRAGMA journal_mode = DELETE")


def _sync(path: Path) -> None:
    """Put a file, or the names in a folder, on disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
