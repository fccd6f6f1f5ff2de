"""A connection that dies at its n-th statement, as the process would: nothing after it reaches the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from sentinel.store import database


class Died(BaseException):
    """The process is gone; no `except Exception` sees it."""


class Reaper:
    """Counts statements of every writing connection, and lets the process die at one of them."""

    def __init__(self) -> None:
        self.count = 0
        self.at: int | None = None

    def arm(self, at: int | None) -> None:
        """Begin to count anew; die at this statement, or never."""
        self.count, self.at = 0, at

    @property
    def dead(self) -> bool:
        """Whether the process is gone."""
        return self.at is not None and self.count >= self.at

    def statement(self) -> None:
        """Count one, and die if it is the one; whoever is dead stays so."""
        self.count += 1
        if self.dead:
            raise Died


def let_die(monkeypatch: pytest.MonkeyPatch) -> Reaper:
    """Give the store connections that die when told to."""
    reaper = Reaper()

    class Cursor(sqlite3.Cursor):
        def execute(self, *args: Any) -> sqlite3.Cursor:  # type: ignore[override]
            reaper.statement()
            return super().execute(*args)

        def executemany(self, *args: Any) -> sqlite3.Cursor:  # type: ignore[override]
            reaper.statement()
            return super().executemany(*args)

    class Connection(sqlite3.Connection):
        def cursor(self, *_: Any) -> Any:
            return super().cursor(Cursor)

        def commit(self) -> None:
            reaper.statement()
            super().commit()

    def connect(path: Path, mode: str) -> sqlite3.Connection:
        factory = Connection if "rw" in mode else sqlite3.Connection
        return sqlite3.connect(
            f"{path.as_uri()}?{mode}", uri=True, isolation_level=None, check_same_thread=False, factory=factory
        )

    monkeypatch.setattr(database, "_connect", connect)
    return reaper
