"""Opening, transactions, and what a person reads when the database cannot be used."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel.core.errors import StoreUnavailable
from sentinel.store import place
from sentinel.store.database import Database, Transaction
from sentinel.store.trouble import unavailable

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOLD = """
import sys
from sentinel.store.database import Database
database = Database.open(sys.argv[1])
print("open", flush=True)
sys.stdin.read()
"""


def _remember(tx: Transaction, what: str) -> None:
    tx.memory.put(what, {})


def _fail(tx: Transaction, what: str) -> None:
    _remember(tx, what)
    raise ValueError(what)


def _remembered(database: Database) -> list[str]:
    with database.read() as tx:
        return sorted(tx.memory.all())


def test_what_is_committed_is_there_after_reopening(url: str) -> None:
    """And what is not, is not."""
    database = Database.open(url)
    with database.begin() as tx:
        _remember(tx, "committed")
    with pytest.raises(ValueError, match="lost"), database.begin() as tx:
        _fail(tx, "lost")
    database.close()
    database = Database.open(url)
    assert _remembered(database) == ["committed"]
    database.close()


def test_a_work_that_fails_fails_alone(database: Database) -> None:
    """Each work of a commit has its savepoint, and they may be nested."""
    with database.begin() as tx:
        with tx.savepoint():
            _remember(tx, "first")
            with pytest.raises(ValueError, match="inner"), tx.savepoint():
                _fail(tx, "inner")
        with pytest.raises(ValueError, match="second"), tx.savepoint():
            _fail(tx, "second")
        with tx.savepoint():
            _remember(tx, "third")
    assert _remembered(database) == ["first", "third"]


def test_what_a_savepoint_may_undo_is_in_no_other_file(database: Database) -> None:
    """Nothing but the database's folder may be writable; SQLite's temporary files would lie elsewhere."""
    for seen in ("before", "after"):
        with database.begin() as tx, tx.savepoint():
            for n in range(200):
                tx.memory.put(f"probe {n}", {"seen": seen * 800})
            files = {os.readlink(link) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()}
            assert not [file for file in files if "etilqs" in file]


def test_a_reader_sees_the_last_commit_and_nothing_of_the_next(database: Database) -> None:
    """Pages are drawn while the desk writes, and neither waits."""
    with database.read() as reader:
        assert reader.memory.all() == {}
        with database.begin() as tx:
            _remember(tx, "a")
        assert reader.memory.all() == {}
    assert _remembered(database) == ["a"]


def test_a_reader_cannot_write(database: Database) -> None:
    """Its connection is read-only, so a mistake in a page cannot hurt."""
    with pytest.raises(StoreUnavailable, match="read-only"), database.read() as tx:
        _remember(tx, "a")


def test_each_commit_is_on_disk_when_it_returns(database: Database) -> None:
    """WAL and synchronous=FULL; free pages can be given back."""
    with database.begin() as tx:
        ask = tx._connection.exec_driver_sql
        assert ask("PRAGMA journal_mode").scalar() == "wal"
        assert ask("PRAGMA synchronous").scalar() == 2
        assert ask("PRAGMA auto_vacuum").scalar() == 2


def test_two_agents_cannot_share_a_database(url: str) -> None:
    """The second is told who holds it; SIGKILL lets go of it at once."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(StoreUnavailable, match=rf"in use by another agent \(process {holder.pid}\)"):
            Database.open(url)
        looker = Database.open(url, read_only=True)
        assert _remembered(looker) == []
        looker.close()
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    Database.open(url).close()


def test_a_database_opened_for_looking_cannot_be_written(url: str) -> None:
    """Commands look into the file while no agent runs; nothing is made for them."""
    with pytest.raises(StoreUnavailable, match="does not exist; start the agent once"):
        Database.open(url, read_only=True)
    Database.open(url).close()
    database = Database.open(url, read_only=True)
    with pytest.raises(StoreUnavailable, match="open for reading only"), database.begin():
        pass
    database.close()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("postgresql://db/sentinel", '"postgresql:" is not supported; write sqlite:///sentinel.db'),
        ("sentinel.db", "the database's URL has no scheme; write sqlite:///sentinel.db"),
        ("sqlite://sentinel.db", '"sqlite:" is not supported; write sqlite:///sentinel.db'),
        ("sqlite:///", "the database must be a file"),
        ("sqlite:///:memory:", "the database must be a file"),
        ("sqlite:////no/such/folder/a.db", "its folder does not exist; create /no/such/folder"),
        ("sqlite:////proc", "is a folder; name a file in it"),
    ],
)
def test_a_url_that_means_no_file_is_refused_with_a_proposal(url: str, says: str) -> None:
    """Whoever reads it knows what to write instead."""
    with pytest.raises(StoreUnavailable) as caught:
        Database.open(url)
    assert says in str(caught.value)


def test_a_file_that_is_no_database_is_refused(url: str, tmp_path: Path) -> None:
    """And neither touched nor left locked."""
    path = tmp_path / "sentinel.db"
    path.write_text("just some text, long enough to be looked at as a header of a database file\n" * 20)
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match=f"{path} is not a database; move the file away"):
            Database.open(url)
    assert path.read_text().startswith("just some text")


def test_a_lock_of_another_program_is_named(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Someone has the file open in a shell, in the middle of a transaction."""
    monkeypatch.setattr("sentinel.store.database._BUSY_SECONDS", 0.05)
    database = Database.open(url)
    other = sqlite3.connect(tmp_path / "sentinel.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="is locked by another program"), database.begin():
        pass
    other.execute("ROLLBACK")
    other.close()
    with database.begin() as tx:
        _remember(tx, "a")
    database.close()


def test_a_full_disk_loses_nothing_and_space_that_comes_back_is_used(database: Database) -> None:
    """What was committed stays, the failed transaction is undone, and the next one works."""
    with database.begin() as tx:
        _remember(tx, "before")
    with closing(sqlite3.connect(database.path)) as other:
        pages = other.execute("PRAGMA page_count").fetchone()[0]
    limit = "PRAGMA max_page_count = {}"
    with database.begin() as tx:
        tx._connection.exec_driver_sql(limit.format(pages)).fetchall()
    with pytest.raises(StoreUnavailable, match=r"no space is left for .*make room"), database.begin() as tx:
        tx.memory.put("big", {"text": "x" * 10**6})
    assert _remembered(database) == ["before"]
    with database.begin() as tx:
        tx._connection.exec_driver_sql(limit.format(2**30)).fetchall()
        tx.memory.put("big", {"text": "x" * 10**6})
    assert _remembered(database) == ["before", "big"]


def test_a_disk_that_fills_up_within_a_work_fails_the_whole_transaction(database: Database) -> None:
    """SQLite undoes all of it by itself; nobody may believe that the other works were written."""
    with database.begin() as tx:
        pages = tx._connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx._connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}").fetchall()
    with pytest.raises(StoreUnavailable, match="no space is left"), database.begin() as tx:
        _fill_up(tx)
    assert _remembered(database) == []
    with database.begin() as tx:
        _remember(tx, "b")
    assert _remembered(database) == ["b"]


def _fill_up(tx: Transaction) -> None:
    _remember(tx, "a")
    with tx.savepoint():
        tx.memory.put("big", {"text": "x" * 10**7})


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (sqlite3.SQLITE_READONLY, "/a.db is read-only; let Sentinel's user write"),
        (sqlite3.SQLITE_IOERR_FSYNC, "the disk under /a.db fails"),
        (sqlite3.SQLITE_CORRUPT_INDEX, "/a.db is damaged"),
    ],
)
def test_what_sqlite_says_is_said_in_words(code: int, says: str) -> None:
    """Extended result codes are told by their primary one."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = code
    assert says in str(unavailable(Path("/a.db"), error))


def test_a_mistake_of_ours_is_no_trouble_of_the_disk() -> None:
    """A wrong statement is a bug, and must look like one."""
    error = sqlite3.OperationalError("no such column")
    error.sqlite_errorcode = sqlite3.SQLITE_ERROR
    assert unavailable(Path("/a.db"), error) is None
    assert unavailable(Path("/a.db"), ValueError()) is None


MOUNTS = """\
overlay / overlay rw 0 0
tmpfs /tmp tmpfs rw 0 0
nas:/x /mnt/my\\040data nfs4 rw 0 0
/dev/sdb1 /mnt/my\\040data/local ext4 rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/a.db", "overlay"),
        ("/tmp/a.db", "tmpfs"),
        ("/tmpx/a.db", "overlay"),
        ("/mnt/my data/a.db", "nfs4"),
        ("/mnt/my data/local/a.db", "ext4"),
    ],
)
def test_the_innermost_mount_holds_a_path(path: str, kind: str) -> None:
    """Spaces in mount points are written in octal; the longest mount point wins."""
    assert place.file_system(Path(path), MOUNTS) == kind


def test_a_network_file_system_is_refused(tmp_path: Path) -> None:
    """SQLite's locks and shared memory cannot be relied on there."""
    mounts = tmp_path / "mounts"
    mounts.write_text(f"nas:/x {tmp_path} nfs rw 0 0\n")
    with pytest.raises(StoreUnavailable, match=r"network file system \(nfs\).*use a local disk"):
        place.check_place(tmp_path / "a.db", mounts=mounts)
    place.check_place(tmp_path / "a.db", mounts=tmp_path / "none")
