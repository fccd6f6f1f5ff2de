"""Backup: a whole copy while somebody writes; nothing is destroyed, nothing is left behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.core.errors import StoreUnavailable
from sentinel.store import backup
from sentinel.store.backup import back_up
from sentinel.store.database import Database
from sentinel.store.verify import problems
from tests.store.kit import START


@pytest.fixture
def source(database: Database) -> Path:
    """A database with a few hundred pages of audit."""
    with database.begin() as tx:
        for number in range(500):
            tx.audit.append(START, "test", f"row {number}", {"text": "x" * 1000})
    return database.path


def rows(path: Path) -> int:
    """Count what a copy holds, and look whether it is whole."""
    database = Database.open(f"sqlite:///{path}", read_only=True)
    try:
        assert list(problems(database)) == []
        with database.read() as tx:
            return len(tx.audit.newest(10_000))
    finally:
        database.close()


def test_what_is_committed_meanwhile_neither_tears_the_copy_nor_begins_it_anew(
    database: Database, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is the state of the moment at which it began."""
    monkeypatch.setattr(backup, "_PAGES", 10)
    seen = []

    def write(done: int, pages: int) -> None:
        seen.append((done, pages))
        with database.begin() as tx:
            tx.audit.append(START + timedelta(seconds=len(seen)), "test", "meanwhile", {})

    back_up(source, tmp_path / "copy.db", progress=write)
    assert rows(tmp_path / "copy.db") == 500
    assert len(seen) > 10
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})
    assert seen[-1][0] == seen[-1][1]


def test_a_copy_is_one_file_and_can_be_used_in_place(source: Path, tmp_path: Path) -> None:
    """Nothing stands beside it, its permissions are the database's, and an agent can write it."""
    folder = tmp_path / "backups"
    folder.mkdir()
    source.chmod(0o600)
    back_up(source, folder / "copy.db")
    assert [path.name for path in folder.iterdir()] == ["copy.db"]
    assert (folder / "copy.db").stat().st_mode & 0o777 == 0o600
    copy = Database.open(f"sqlite:///{folder / 'copy.db'}")
    with copy.begin() as tx:
        assert tx.audit.append(START, "test", "goes on", {}) == 501
    copy.close()


def test_another_file_is_replaced_only_if_that_is_wanted(source: Path, tmp_path: Path) -> None:
    """And what is there stays as it is until the copy is whole."""
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(StoreUnavailable, match="exists; name another file, or give --force"):
        back_up(source, target)
    assert target.read_text() == "precious"
    back_up(source, target, force=True)
    assert rows(target) == 500


def test_what_would_destroy_a_database_is_refused(source: Path, tmp_path: Path) -> None:
    """The database itself, and one that somebody has open, whatever is forced."""
    with pytest.raises(StoreUnavailable, match="is the database itself"):
        back_up(source, source, force=True)
    other = Database.open(f"sqlite:///{tmp_path / 'other.db'}")
    with pytest.raises(StoreUnavailable, match="somebody has open"):
        back_up(source, other.path, force=True)
    other.close()


def test_whatever_goes_wrong_leaves_nothing_behind(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old copy is there, the half of a new one is not."""
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "copy.db").write_text("precious")
    monkeypatch.setattr(backup, "_PAGES", 10)

    def fail(_done: int, _of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        back_up(source, folder / "copy.db", force=True, progress=fail)
    assert [(path.name, path.read_text()) for path in folder.iterdir()] == [("copy.db", "precious")]
    with pytest.raises(StoreUnavailable, match="its folder does not exist"):
        back_up(source, tmp_path / "nowhere" / "copy.db")


def test_what_a_killed_backup_left_is_in_nobodys_way(source: Path, tmp_path: Path) -> None:
    """The next one begins anew."""
    (tmp_path / "copy.db.part").write_bytes(b"half" * 1000)
    back_up(source, tmp_path / "copy.db")
    assert rows(tmp_path / "copy.db") == 500
    assert not (tmp_path / "copy.db.part").exists()
