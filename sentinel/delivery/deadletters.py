"""Dead letters: what a person must look at, and may have sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.notification import Notification, Settled, Settlement

if TYPE_CHECKING:
    from sentinel.store.database import Transaction


def retry(tx: Transaction, id_: str, author: str, now: datetime) -> Settled:
    """Owe a dead letter anew, all attempts before it; who did so is written into the audit.

    Raises:
        LookupError: there is no such notification, or it is no dead letter; the text says so.
    """
    return Settled((_again(tx, _dead(tx, id_), author, now),))


def retry_all(tx: Transaction, notifier: str, author: str, now: datetime) -> Settled:
    """Owe each dead letter of a notifier anew; "" is all notifiers."""
    dead = (row for row in tx.notifications.dead() if notifier in ("", row.notifier))
    return Settled(tuple(_again(tx, row, author, now) for row in dead))


def drop(tx: Transaction, id_: str, author: str, reason: str, now: datetime) -> Settled:
    """Let a dead letter rest: nobody will send it, and no alert counts it any more.

    Raises:
        LookupError: as `retry`.
    """
    row = _dead(tx, id_)
    dropped = replace(row, settlement=Settlement.WITHDRAWN, why=f"dropped by {author}: {reason}")
    tx.notifications.put(dropped)
    tx.audit.append(now, "drop", id_, _facts(row, author) | {"reason": reason})
    return Settled((dropped,))


def _dead(tx: Transaction, id_: str) -> Notification:
    row = tx.notifications.get(id_)
    if row is None:
        raise LookupError(f'there is no delivery "{id_}"')
    if row.settlement is not Settlement.DEAD:
        raise LookupError(f"delivery {id_} is {row.settlement}; only a dead one can be retried or dropped")
    return row


def _again(tx: Transaction, row: Notification, author: str, now: datetime) -> Notification:
    again = replace(row, settlement=Settlement.WAITING, tries=0, next_at=now, leased_until=None, why="")
    tx.notifications.put(again)
    tx.audit.append(now, "retry", row.id, _facts(row, author))
    return again


def _facts(row: Notification, author: str) -> dict[str, str]:
    return {"notifier": row.notifier, "group": row.group, "author": author, "was": row.why}
