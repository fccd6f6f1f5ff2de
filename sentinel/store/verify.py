"""Verify: is everything in a database as it was written? Reads only, one state of it, also beside a running agent."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Container, Iterable, Iterator

from sqlalchemy.exc import DBAPIError

from sentinel.core.errors import StoreUnavailable
from sentinel.store.database import Database, Transaction

#: SQLite stops looking after so many; whoever has more needs a backup, not a list.
_MOST = 100

#: What a file has to be before anything else can be said of it.
_RUINED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


def problems(database: Database, doing: Callable[[str], None] = lambda _: None) -> Iterator[str]:
    """Yield what is wrong with a database, a sentence each; nothing if it is whole.

    1. SQLite's own check of pages, indices and constraints; if that fails, nothing else can be trusted.
    2. The chain of the audit.
    3. The checksum of every blob of samples; what the agent has set aside counts.
    4. Who owes word of what, and who heard: nothing may refer to what is not there.

    Args:
        database: open for reading.
        doing: hears what is looked at next, to show it.
    """
    try:
        with database.read() as tx:
            doing("pages and indices")
            found = [f"SQLite: {line}" for line in tx.integrity(_MOST)]
            yield from found
            if found:
                return
            doing("audit")
            yield from tx.audit.verify()
            doing("samples")
            yield from map(str, tx.samples.damaged())
            for damage in tx.samples.verify():
                yield f"{damage.table} {damage.id} cannot be read: {damage.why}"
            doing("alerts and notifications")
            yield from dangling(tx)
    except StoreUnavailable as exc:
        if not ruined(exc):
            raise
        yield str(exc)
    except DBAPIError as exc:  # a value of another type than was written
        yield f"SQLite: {exc.orig}"


def dangling(tx: Transaction) -> Iterator[str]:
    """Yield what refers to an alert or a group that is not there."""
    alerts = {one.fingerprint for one in tx.alerts.all()}
    groups = {one.key: one for one in tx.groups.all()}
    for group in groups.values():
        yield from _missing(f"group {group.key}", "alert", group.alerts, alerts)
    for told in tx.told.all():
        what = f"what {told.notifier} was told"
        yield from _missing(what, "alert", [told.fingerprint], alerts)
        yield from _missing(what, "group", [told.group], groups)
    for owed in tx.notifications.open():
        yield from _missing(f"notification {owed.id}", "alert", owed.alerts, alerts)
        yield from _missing(f"notification {owed.id}", "group", [owed.group], groups)
    for acknowledgement in tx.acknowledgements.all():
        yield from _missing("an acknowledgement", "alert", [acknowledgement.fingerprint], alerts)


def ruined(exc: StoreUnavailable) -> bool:
    """Say whether a file cannot be read because of what is in it."""
    cause = exc.__cause__
    error = cause.orig if isinstance(cause, DBAPIError) else cause
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _RUINED


def _missing(what: str, kind: str, names: Iterable[str], there: Container[str]) -> Iterator[str]:
    return (f"{what} refers to {kind} {name}, which is not there" for name in names if name not in there)
