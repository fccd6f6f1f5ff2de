"""`sentinel db` as a user types it, in this process: what it prints, and its exit codes."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel.cli import main
from sentinel.store.database import Database
from tests.store.kit import START

Sentinel = Callable[..., tuple[int, str, str]]


@pytest.fixture
def sentinel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Sentinel:
    """Return what runs a command on a database of its own; it gives exit code, output and errors."""
    monkeypatch.setenv("SENTINEL_DATABASE_URL", f"sqlite:///{tmp_path / 'sentinel.db'}")
    monkeypatch.setenv("SENTINEL_LISTEN", "127.0.0.1:1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sentinel", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def house(tmp_path: Path) -> Database:
    """A database that somebody has written, and left."""
    database = Database.open(f"sqlite:///{tmp_path / 'sentinel.db'}")
    with database.begin() as tx:
        for number in range(3):
            tx.audit.append(START, "test", f"row {number}", {})
    database.close()
    return database


def test_a_whole_database_is_said_to_be(sentinel: Sentinel, house: Database) -> None:
    """Exit code 0, in text and in JSON."""
    assert sentinel("db", "check")[:2] == (0, "The database is whole.\n")
    code, out, _ = sentinel("db", "check", "--format", "json")
    assert (code, json.loads(out)) == (0, {"problems": []})


def test_what_is_wrong_ends_with_1(sentinel: Sentinel, house: Database) -> None:
    """Each problem is a line; a file that is no database is a problem too."""
    with sqlite3.connect(house.path) as connection:
        connection.execute("UPDATE audit SET body = '{\"x\":1}' WHERE seq = 2")
    connection.close()
    code, out, _ = sentinel("db", "check")
    assert code == 1
    assert out.startswith("audit row 2 (test row 1 at 2026-01-01 00:00:00) was changed")
    assert out.count("\n") == 1
    house.path.write_bytes(b"nonsense" * 1000)
    code, out, _ = sentinel("db", "check")
    assert (code, out.strip()) == (1, f"{house.path} is not a database; move the file away, or name another one")


def test_no_database_is_no_problem_of_a_file(sentinel: Sentinel) -> None:
    """Exit code 3, with what to do; nothing is made."""
    for command in (["check"], ["backup", "copy.db"]):
        code, _, err = sentinel("db", *command)
        assert code == 3
        assert "does not exist; start the agent once" in err
    assert list(Path().iterdir()) == []


def test_a_backup_is_told_and_can_be_checked(sentinel: Sentinel, house: Database) -> None:
    """It is there, whole, and not written over by mistake."""
    code, out, err = sentinel("db", "backup", "copy.db")
    assert (code, err) == (0, "")
    assert out.startswith("wrote copy.db (")
    assert sentinel("db", "check", "copy.db")[0] == 0
    code, _, err = sentinel("db", "backup", "copy.db")
    assert code == 3
    assert "give --force to replace it" in err
    assert sentinel("db", "backup", "copy.db", "--force")[0] == 0


def test_the_copy_of_a_damaged_database_is_kept_and_said_to_be_damaged(sentinel: Sentinel, house: Database) -> None:
    """It may be the best there is."""
    with sqlite3.connect(house.path) as connection:
        connection.execute("DELETE FROM audit WHERE seq = 1")
    connection.close()
    code, out, err = sentinel("db", "backup", "copy.db")
    assert (code, out.startswith("wrote copy.db")) == (1, True)
    assert "audit row 1 was removed" in err
    assert "and so has its copy" in err
