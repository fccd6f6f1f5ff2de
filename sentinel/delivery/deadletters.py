"""Dead letters: what a person must look at, and may have sent again."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.notification import Settled, Settlement

if TYPE_CHECKING:
    from sentinel.store.database import Transaction


def retry(tx: Transaction, id_: str, author: str, now: datetime) -> Settled:
    """Owe a dead letter anew, all attempts before it; who did so is written into the audit.

    Raises:
        LookupError: there is no such notification, or it is no dead letter; the text says so.
    """
    row = tx.notifications.get(id_)
    if row is None:
        raise LookupError(f'there is no delivery "{id_}"')
    if row.settlement is not Settlement.DEAD:
        raise LookupError(f"delivery {id_} is {row.settlement}; only a dead one can be retried")
    again = replace(row, settlement=Settlement.WAITING, tries=0, next_at=now, leased_until=None, why="")
    tx.notifications.put(again)
    body = {"notifier": row.notifier, "group": row.group, "author": author, "was": row.why}
    tx.audit.append(now, "retry", id_, body)
    return Settled((again,))
