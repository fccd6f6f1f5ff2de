"""A database in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentinel.store.database import Database


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the test's database is, or will be."""
    return f"sqlite:///{tmp_path / 'sentinel.db'}"


@pytest.fixture
def database(url: str) -> Iterator[Database]:
    """A fresh database, open."""
    database = Database.open(url)
    yield database
    database.close()
