"""One connection to a database, kept between looks: read-only, bounded, and cancelled when the look's time is over."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, CursorResult, Row
from sqlalchemy.exc import SQLAlchemyError

from sentinel.core.errors import ProbeFailed
from sentinel.probes.base import Look
from sentinel.probes.dialects import TEXT_LIMIT, bound, engine_for, failure, shown, target
from sentinel.probes.rows import Table
from sentinel.probes.threads import in_thread

#: How long a look that was cancelled waits for its query to end.
CANCEL_SECONDS = 0.5
#: A % in the query is a %; and of a million rows those that nobody reads stay with the server.
_OPTIONS = {"no_parameters": True, "stream_results": True}


class Session:
    """Asks one database; a pool of one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._connection: Connection | None = None
        self._closed = False
        #: What the last look took, in seconds by phase.
        self.phases: dict[str, float] = {}
        self._one_at_a_time = threading.Lock()

    async def ask(self, query: str, most_rows: int, look: Look) -> Table:
        """Run a query and return its rows; when the look is cancelled, so is the query.

        Raises:
            ProbeFailed: with a reason, and words that never hold the password.
        """
        if self._one_at_a_time.locked():
            raise ProbeFailed("timeout", "the query of an earlier look still runs, although it was cancelled")
        look.peer = shown(target(self._url))
        look.doing = f"waiting for the rows of {look.peer}"
        late = threading.Event()
        asking = in_thread(lambda: self._ask(query, most_rows, look.timeout_seconds, late), "sql")
        try:
            return await asyncio.shield(asking)
        except asyncio.CancelledError:
            late.set()
            self._cancel()
            asking.add_done_callback(lambda done: done.cancelled() or done.exception())
            await asyncio.wait({asking}, timeout=CANCEL_SECONDS)
            raise

    def close(self) -> None:
        """Close the connection; a query that still runs is cancelled, and its thread closes."""
        self._closed = True
        if self._one_at_a_time.acquire(blocking=False):
            self._drop()
            self._one_at_a_time.release()
        else:
            self._cancel()

    def _ask(self, query: str, most_rows: int, timeout_seconds: float, late: threading.Event) -> Table:
        """Ask, in a thread: one transaction, rolled back; after any failure the next look opens a new connection."""
        began = time.perf_counter()
        url = target(self._url)
        with self._one_at_a_time:
            self.phases = {"connect": 0.0, "query": 0.0}
            try:
                if self._connection is None:
                    with self._spending("connect"):
                        self._connection = engine_for(url, timeout_seconds).connect()
                if late.is_set():
                    raise ProbeFailed("timeout", "the connection came too late to ask")
                with self._spending("query"):
                    return _rows(self._connection, query, most_rows, timeout_seconds)
            except Exception as exc:
                self._drop()
                raise failure(exc, url, (time.perf_counter() - began) * 1000) from exc
            finally:
                if self._closed:
                    self._drop()

    @contextmanager
    def _spending(self, phase: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            self.phases[phase] = time.perf_counter() - began

    def _cancel(self) -> None:
        """Interrupt the driver: SQLite and psycopg can; others are left to the database's own limit."""
        raw: Any = None
        with suppress(SQLAlchemyError, AttributeError):
            raw = self._connection.connection.driver_connection if self._connection else None
        stop = getattr(raw, "interrupt", None) or getattr(raw, "cancel", None)
        if stop is not None:
            # psycopg cancels over a connection of its own, which may hang as the first one does.
            in_thread(stop, "sql cancel").add_done_callback(lambda done: done.cancelled() or done.exception())

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it may be broken already; there is nothing to save
                connection.close()
            with suppress(Exception):
                connection.engine.dispose()


def _rows(connection: Connection, query: str, most_rows: int, timeout_seconds: float) -> Table:
    with connection.begin() as transaction:
        bound(connection, timeout_seconds, most_rows)
        result = connection.exec_driver_sql(query, execution_options=_OPTIONS)
        with closing(result):
            if not result.returns_rows:
                raise ProbeFailed("error", "the query returns no rows: it should be a select")
            table = Table(tuple(result.keys()), _bounded(result, most_rows))
        transaction.rollback()
    return table


def _bounded(result: CursorResult[Any], most_rows: int) -> list[Row[Any]]:
    """Fetch ten rows, then ten times as many, and so on: of wide ones few are here before it is seen that they are."""
    rows: list[Row[Any]] = []
    held, page = 0, 10
    while found := result.fetchmany(min(page, most_rows + 1 - len(rows))):
        rows += found
        held += sum(len(value) for row in found for value in row if isinstance(value, str | bytes))
        if held > TEXT_LIMIT:
            raise ProbeFailed("expect", f"the rows hold more than {TEXT_LIMIT // 1024:,} KiB of text")
        if len(rows) > most_rows:
            raise ProbeFailed("expect", f"the query returns more than {most_rows:,} rows")
        page *= 10
    return rows
