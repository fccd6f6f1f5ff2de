"""The database: one connection that writes, others that read, and the transaction in which works meet."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool, QueuePool

from sentinel.core.errors import StoreUnavailable
from sentinel.store import place, schema
from sentinel.store.alerts import Alerts
from sentinel.store.audit import Audit
from sentinel.store.driver import driver_of
from sentinel.store.guard import Guard
from sentinel.store.memory import Heartbeats, ProbeMemory
from sentinel.store.outbox import Groups, Notifications, ToldShelf
from sentinel.store.people import Acknowledgements, Silences
from sentinel.store.revisions import Revisions
from sentinel.store.samples import Samples
from sentinel.store.trouble import in_words

#: SQLite's log may grow beyond this while somebody reads for long, but not stay so.
_LOG_BYTES = 16 * 2**20

#: How long a statement waits for another program's lock before it gives up.
_BUSY_SECONDS = 2.0

#: What each reader may keep of the file; the system keeps it for all of them.
_CACHE_KB = 256


class Transaction:
    """What a work sees: every table, through one connection, all or nothing."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what is done within, and only that, if it raises."""
        with in_words(self._path):
            self._connection.exec_driver_sql("SAVEPOINT work")
            try:
                yield
            except BaseException:
                # A full disk makes SQLite undo the whole transaction by itself, savepoints and all.
                if driver_of(self._connection).in_transaction:
                    self._connection.exec_driver_sql("ROLLBACK TO work")
                    self._connection.exec_driver_sql("RELEASE work")
                raise
            self._connection.exec_driver_sql("RELEASE work")

    def integrity(self, most: int) -> list[str]:
        """Return what SQLite itself finds wrong with the file, so many lines at most."""
        found = list(self._connection.exec_driver_sql(f"PRAGMA integrity_check({most})").scalars())
        return [] if found == ["ok"] else found

    @cached_property
    def samples(self) -> Samples:
        """Series, journal and chunks."""
        return Samples(self._connection)

    @cached_property
    def alerts(self) -> Alerts:
        """Alerts that are not inactive."""
        return Alerts(self._connection)

    @cached_property
    def audit(self) -> Audit:
        """What happened."""
        return Audit(self._connection)

    @cached_property
    def groups(self) -> Groups:
        """Alerts that are told together."""
        return Groups(self._connection)

    @cached_property
    def notifications(self) -> Notifications:
        """The outbox."""
        return Notifications(self._connection)

    @cached_property
    def told(self) -> ToldShelf:
        """Who heard of what."""
        return ToldShelf(self._connection)

    @cached_property
    def silences(self) -> Silences:
        """Silences."""
        return Silences(self._connection)

    @cached_property
    def acknowledgements(self) -> Acknowledgements:
        """Acknowledgements."""
        return Acknowledgements(self._connection)

    @cached_property
    def heartbeats(self) -> Heartbeats:
        """Jobs that call."""
        return Heartbeats(self._connection)

    @cached_property
    def memory(self) -> ProbeMemory:
        """What probes remember between looks."""
        return ProbeMemory(self._connection)

    @cached_property
    def revisions(self) -> Revisions:
        """Configurations that were in use."""
        return Revisions(self._connection)


class Database:
    """One SQLite file.

    `begin` belongs to one thread, the desk's; `read` to any. Every commit is on disk when it returns
    (`synchronous=FULL`), and readers see the state of the last commit before they began, without waiting (WAL).
    """

    def __init__(self, path: Path, guard: Guard | None) -> None:
        self.path = path
        self._guard = guard
        self._readers = _engine(lambda: _reader(path), QueuePool)
        self._writer: Connection | None = None

    @classmethod
    def open(cls, url: str, *, read_only: bool = False) -> Database:
        """Open the database, making or migrating it where needed.

        Args:
            url: `sqlite:///path`.
            read_only: look into it while an agent may be running; nothing is made, migrated or locked.

        Raises:
            StoreUnavailable: it cannot be used; the text says why, and what to do.
        """
        path = place.path_of(url)
        place.check_place(path)
        if read_only:
            return cls._look_into(path)
        guard = Guard(path)
        try:
            database = cls(path, guard)
            with in_words(path):
                database._writer = _writer(path)
        except BaseException:
            guard.release()
            raise
        return database

    @classmethod
    def _look_into(cls, path: Path) -> Database:
        if not path.exists():
            raise StoreUnavailable(f"{path} does not exist; start the agent once, or set SENTINEL_DATABASE_URL")
        database = cls(path, None)
        try:
            with in_words(path), database._readers.connect() as connection:
                version = schema.check(connection, path)
            if version != schema.VERSIONS[-1]:
                raise StoreUnavailable(f"{path} is of an older Sentinel; start the agent once to bring it up to date")
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def begin(self) -> Iterator[Transaction]:
        """Begin to write; commit at the end, or undo everything if it raises. Only for the desk's thread.

        Raises:
            StoreUnavailable: the disk is full, the file is locked or read-only; nothing was written.
        """
        if self._writer is None:
            raise StoreUnavailable(f"{self.path} is open for reading only")
        with in_words(self.path), self._writer.begin():
            yield Transaction(self._writer, self.path)

    @contextmanager
    def read(self) -> Iterator[Transaction]:
        """Read, from any thread, one state of the database: what is committed meanwhile is not seen."""
        with in_words(self.path), self._readers.connect() as connection, connection.begin():
            yield Transaction(connection, self.path)

    def close(self) -> None:
        """Write the log of SQLite back into its file, and let go of everything."""
        self._readers.dispose()
        if self._writer is not None:
            with in_words(self.path):
                driver_of(self._writer).execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._writer.close()
            self._writer.engine.dispose()
            self._writer = None
        if self._guard is not None:
            self._guard.release()
            self._guard = None


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Open one connection; transactions are begun by us, not guessed by the driver."""
    return sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )


def _reader(path: Path) -> sqlite3.Connection:
    """Open a connection that reads.

    Even for that SQLite makes files beside the database, unless it is told that nobody can change it (`immutable`): so
    it is where the file system is read-only.
    """
    sealed = os.statvfs(path.parent).f_flag & os.ST_RDONLY
    connection = _connect(path, "mode=ro&immutable=1" if sealed else "mode=ro")
    try:
        connection.execute(f"PRAGMA cache_size = {-_CACHE_KB}")
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _engine(
    connect: Callable[[], sqlite3.Connection], pool: type[NullPool | QueuePool], begin: str = "BEGIN"
) -> Engine:
    engine = create_engine("sqlite://", creator=connect, poolclass=pool)
    event.listen(engine, "begin", lambda connection: driver_of(connection).execute(begin))
    return engine


def _writer(path: Path) -> Connection:
    """Open the connection that writes, and bring the schema up to date.

    1. Space can be given back later only if the file is made for it (`auto_vacuum`): before its first page.
    2. Look whether the file is ours before anything is changed in it.
    3. The write-ahead log lets readers and the writer pass each other; FULL puts each commit on disk.
    4. What a savepoint may have to undo stays in memory: written to a temporary file it was half of all that a storm
       writes, and where nothing but the database's folder can be written there is no place for one.
    """
    connection = _engine(lambda: _connect(path, "mode=rwc"), NullPool, "BEGIN IMMEDIATE").connect()
    try:
        driver = driver_of(connection)
        driver.execute("PRAGMA auto_vacuum = INCREMENTAL")
        schema.check(connection, path)
        connection.commit()
        mode = driver.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        if mode != "wal":
            raise StoreUnavailable(f"{path}: this file system cannot hold SQLite's write-ahead log; use a local disk")
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA temp_store = MEMORY")
        driver.execute(f"PRAGMA journal_size_limit = {_LOG_BYTES}")
        with connection.begin():
            schema.prepare(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection
