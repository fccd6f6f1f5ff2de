"""One agent a database: a lock on a file beside it, which the system lets go when its holder dies, however it dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sentinel.core.errors import StoreUnavailable


class InUse(StoreUnavailable):
    """An agent holds the database; the text says which process."""


class Guard:
    """Holds a database for this process.

    SQLite's own locks only keep two writers apart for the length of a transaction; two agents taking turns on one file
    would each decide and tell what the other has already told.
    """

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Args:
            path: of the database; the lock's file has `.lock` added to its name, and stays there.

        Raises:
            InUse: another agent holds it.
            StoreUnavailable: the file cannot be made.
        """
        lock = path.with_name(path.name + ".lock")
        try:
            self._file = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as exc:
            raise StoreUnavailable(f"{lock}: {exc.strerror}; Sentinel must be able to write in this folder") from exc
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.pread(self._file, 20, 0).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise InUse(
                f"{path} is in use by another agent (process {holder}); stop it, or give this one a database of its own"
            ) from exc
        except OSError as exc:
            os.close(self._file)
            raise StoreUnavailable(f"{lock} cannot be locked: {exc.strerror}; use a local disk") from exc
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let go."""
        os.close(self._file)
