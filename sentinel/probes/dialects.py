"""What differs from one database to the next: how it is opened, bounded, and how its errors read."""

from __future__ import annotations

import math
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.pool import StaticPool

from sentinel.core.errors import ProbeFailed

#: Letters and bytes that a query's rows may hold together.
TEXT_LIMIT = 4 * 1024 * 1024
#: Schemes that people write, and the driver that is meant.
_DRIVERS = {
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "mysql": "mysql+pymysql",
    "mariadb": "mariadb+pymysql",
}
#: The extra of our package that brings a driver.
_EXTRAS = {"psycopg": "postgres", "pymysql": "mysql"}
#: What drivers say, and the reason that it is; the first that is found counts.
_SAYINGS = (
    ("dns", ("failed to resolve host", "could not translate host name", "name or service not known", "getaddrinfo")),
    ("auth", ("authentication failed", "access denied", "permission denied", "no pg_hba.conf entry", "does not exist")),
    (
        "timeout",
        ("timeout", "timed out", "max_statement_time", "maximum statement", "is locked", "interrupted"),
    ),
    (
        "connect",
        ("refused", "connection failed", "unable to open", "can't connect", "closed the connection", "lost conn"),
    ),
)


def target(text: str) -> URL:
    """Read a database's URL.

    Raises:
        ProbeFailed: it is none; its text is not repeated, for it may hold a password.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # a port that is none is a plain ValueError
        raise ProbeFailed("error", "the database's URL cannot be read") from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def shown(url: URL) -> str:
    """Return where the database is, for a message."""
    if url.host:
        return f"{url.host}:{url.port}" if url.port else url.host
    return url.database or url.drivername


def engine_for(url: URL, timeout_seconds: float) -> Engine:
    """Return an engine whose one connection reads only, as far as its database can say so at opening.

    Raises:
        ProbeFailed: SQLite's file is not there (opening it would create it), or the driver is not installed.
    """
    if url.get_backend_name() == "sqlite":
        return create_engine("sqlite://", poolclass=StaticPool, creator=lambda: _sqlite(url, timeout_seconds))
    arguments: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        # libpq knows whole seconds, at least two. No prepared statements: a pooler may stand between.
        arguments = {"connect_timeout": max(2, math.ceil(timeout_seconds)), "prepare_threshold": None}
    elif url.drivername.endswith("+pymysql"):
        # The socket's own limits end a look at a server that says nothing, for a query cannot be cancelled from here.
        seconds = max(1, math.ceil(timeout_seconds))
        arguments = {"connect_timeout": seconds, "read_timeout": seconds, "write_timeout": seconds}
    try:
        return create_engine(url, poolclass=StaticPool, connect_args=arguments)
    except (NoSuchModuleError, ModuleNotFoundError):
        driver = url.get_driver_name() if "+" in url.drivername else url.drivername
        extra = _EXTRAS.get(driver)
        fix = f"install sentinel-agent[{extra}]" if extra else "install a driver of SQLAlchemy for it"
        raise ProbeFailed("error", f"no driver for {url.drivername}: {fix}") from None


def _sqlite(url: URL, timeout_seconds: float) -> sqlite3.Connection:
    path = Path(url.database or "")
    if not path.is_file():
        raise ProbeFailed(
            "connect", f"{path}: no such file" if url.database else "sqlite: without a file has no tables"
        )
    # A database that is locked is waited for, but not longer than the look may take.
    connection = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode=ro", uri=True, check_same_thread=False, timeout=timeout_seconds * 0.75
    )
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, TEXT_LIMIT)
    return connection


def bound(connection: Connection, timeout_seconds: float, most_rows: int) -> None:
    """Have the database itself refuse what writes and end what takes too long; the first words of a transaction."""
    match connection.dialect.name:
        case "sqlite":
            connection.exec_driver_sql("PRAGMA query_only = ON")
        case "postgresql":
            connection.exec_driver_sql("SET TRANSACTION READ ONLY")
            connection.exec_driver_sql(f"SET LOCAL statement_timeout = {max(1, int(timeout_seconds * 1000))}")
        case "mysql" | "mariadb":
            _bound_mysql(connection, timeout_seconds, most_rows)


def _bound_mysql(connection: Connection, timeout_seconds: float, most_rows: int) -> None:
    """Bound MySQL or MariaDB: each names its own limit, MariaDB in seconds and MySQL in milliseconds."""
    if getattr(connection.dialect, "is_mariadb", False):
        connection.exec_driver_sql(f"SET SESSION max_statement_time = {max(0.001, timeout_seconds)}")
    else:
        connection.exec_driver_sql(f"SET SESSION max_execution_time = {max(1, int(timeout_seconds * 1000))}")
    # PyMySQL reads all rows of a result before it closes it, so those that nobody wants must not be sent.
    connection.exec_driver_sql(f"SET SESSION sql_select_limit = {most_rows + 1}")
    # For the session: what commits by itself (create table) leaves a transaction that was begun as READ ONLY.
    connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")


def failure(exc: Exception, url: URL, took_ms: float) -> ProbeFailed:
    """Return a driver's error as reason and words, without the password."""
    if isinstance(exc, ProbeFailed):
        return exc
    original = exc.orig if isinstance(exc, DBAPIError) and exc.orig is not None else exc
    lines = str(original).strip().splitlines() or [type(original).__name__]
    said = lines[0]
    # PyMySQL's errors are pairs of a number and words.
    match original.args:
        case (int(), str(words)):
            said = words
    if url.password:
        for form in (str(url.password), quote(str(url.password), safe=""), quote_plus(str(url.password))):
            said = said.replace(form, "***")
    lower = said.lower()
    reason = next((reason for reason, sayings in _SAYINGS if any(saying in lower for saying in sayings)), "error")
    if reason == "auth" and "does not exist" in lower and not any(word in lower for word in ("role", "database")):
        reason = "error"  # a table or column that does not exist
    if "connection refused" in lower:
        return ProbeFailed("connect", f"connection refused by {shown(url)} after {took_ms:.0f} ms")
    return ProbeFailed(reason, f"{shown(url)}: {said} (after {took_ms:.0f} ms)")
