"""What SQLite says when something is wrong, in words that say what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from sentinel.core.errors import StoreUnavailable

#: SQLite's primary result codes (https://sqlite.org/rescode.html) to what a person should know; {path} is the file.
_WORDS = {
    sqlite3.SQLITE_BUSY: "{path} is locked by another program; close whatever else has it open for writing",
    sqlite3.SQLITE_LOCKED: "{path} is locked by another program; close whatever else has it open for writing",
    sqlite3.SQLITE_READONLY: "{path} is read-only; let Sentinel's user write to the file and its folder",
    sqlite3.SQLITE_PERM: "{path} may not be opened; let Sentinel's user read and write the file and its folder",
    sqlite3.SQLITE_CANTOPEN: "{path} cannot be opened; let Sentinel's user read and write the file and its folder",
    sqlite3.SQLITE_FULL: "no space is left for {path}; make room on its disk, Sentinel goes on by itself",
    sqlite3.SQLITE_IOERR: "the disk under {path} fails ({said}); look at the system's log",
    sqlite3.SQLITE_NOTADB: "{path} is not a database; move the file away, or name another one",
    sqlite3.SQLITE_CORRUPT: "{path} is damaged ({said}); restore it from a backup, or move it away to begin anew",
    sqlite3.SQLITE_SCHEMA: "{path} was changed by another program; restart Sentinel",
}

#: What does not pass by itself.
_LASTING = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY}


def unavailable(path: Path, error: BaseException) -> StoreUnavailable | None:
    """Return what an error of SQLite means for a person; None for one that is a mistake in our own code."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    code = getattr(error, "sqlite_errorcode", None)
    if not isinstance(error, sqlite3.Error) or code is None:
        return None
    words = _WORDS.get(code & 0xFF)
    return StoreUnavailable(words.format(path=path, said=error), lasting=code & 0xFF in _LASTING) if words else None


@contextmanager
def in_words(path: Path) -> Iterator[None]:
    """Raise StoreUnavailable for what SQLite says of its file, and leave every other error as it is."""
    try:
        yield
    except (DBAPIError, sqlite3.Error) as exc:
        if (meant := unavailable(path, exc)) is not None:
            raise meant from exc
        raise
