"""Settle: write down how an attempt ended, and who was told; in one transaction, so that both are true or neither.

                   accepted                         DELIVERED, and who was told
SENDING  ---------- surely refused, tries left ---> WAITING, unsealed: what happened since joins it
(leased) ---------- nobody knows, tries left -----> WAITING, words and key kept
                   refused for good, or no tries -> DEAD, and the fallback is owed it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.errors import DeliveryFailed, GiveUp, TryAgain
from sentinel.core.notification import Attempt, Notification, Settled, Settlement, Told
from sentinel.delivery.backoff import wait
from sentinel.delivery.fallback import bury
from sentinel.delivery.lease import unsealed
from sentinel.notifiers.base import WHY
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: So many attempts are kept with a notification, the newest.
KEPT = 20


@dataclass(frozen=True, slots=True)
class Result:
    """How one attempt ended.

    Args:
        receipt: what the notifier gave back, if the receiver accepted.
        error: why not, if it did not.
        took_seconds: for how long.
    """

    receipt: Mapping[str, str] | None = None
    error: DeliveryFailed | None = None
    took_seconds: float = 0.0

    @property
    def accepted(self) -> bool:
        """Whether the receiver has the message."""
        return self.error is None


def settle(
    tx: Transaction,
    notifier: Notifier,
    leased: Notification,
    result: Result,
    now: datetime,
    *,
    trial: bool = False,
    again: bool = False,
    recovered: bool = False,
) -> Settled:
    """Write down how an attempt ended.

    Args:
        tx: the transaction.
        notifier: whose attempt it was.
        leased: the row as it was leased; if it is no longer so, somebody else has it, and nothing is written.
        result: how it ended.
        now: when.
        trial: whether it was the trial of a half-open circuit, which is not counted.
        again: whether an earlier attempt under the same key may have been accepted unheard: then a refusal now says
            nothing of that one, and words and key are kept.
        recovered: whether the circuit was not closed before: then all that wait are due at once.
    """
    present = tx.notifications.get(leased.id)
    if present is None or present.settlement is not Settlement.SENDING or present.key != leased.key:
        return Settled()
    failed = str(result.error) if result.error else ""
    row = replace(
        present,
        tries=present.tries + (0 if trial and failed else 1),
        attempts=(*present.attempts, Attempt(now, failed, round(result.took_seconds, 3)))[-KEPT:],
    )
    if result.error is None:
        changed, told = _accepted(tx, row, result.receipt or {}, now)
    else:
        changed, told = _refused(tx, notifier, row, result.error, now, again=again), ()
    if recovered:
        changed += _release(tx, notifier.name, now)
    return Settled(tuple(changed), told)


def _accepted(
    tx: Transaction, row: Notification, receipt: Mapping[str, str], now: datetime
) -> tuple[list[Notification], tuple[Told, ...]]:
    facts = Message.unseal(row.content).facts
    kept = {name: value for name, value in receipt.items() if name != WHY}
    told = tuple(
        Told(row.notifier, fact.fingerprint, row.group, None if fact.over else fact.severity, now, kept)
        for fact in facts.news
    )
    delivered = replace(
        row, settlement=Settlement.DELIVERED, leased_until=None, next_at=None, why=receipt.get(WHY, "") or row.why
    )
    tx.notifications.put(delivered)
    tx.told.put(*told)
    return [delivered], told


def _refused(
    tx: Transaction, notifier: Notifier, row: Notification, error: DeliveryFailed, now: datetime, *, again: bool
) -> list[Notification]:
    if isinstance(error, GiveUp) or not isinstance(error, TryAgain):
        return bury(tx, notifier, row, str(error), now)
    if row.tries >= notifier.tries:
        return bury(tx, notifier, row, f"{error} (attempt {row.tries} of {notifier.tries})", now)
    if error.done:
        row = replace(row, content=replace(Message.unseal(row.content), done=error.done).seal())
    surely = error.sure and not again
    waiting = unsealed(row) if surely else replace(row, settlement=Settlement.WAITING, leased_until=None)
    later = replace(waiting, next_at=now + wait(row.id, max(1, row.tries), error.after))
    tx.notifications.put(later)
    return [later]


def _release(tx: Transaction, notifier: str, now: datetime) -> list[Notification]:
    """Make all that wait for their next attempt due: the receiver is back."""
    freed = [
        replace(row, next_at=now)
        for row in tx.notifications.tried(notifier)
        if row.settlement is Settlement.WAITING and row.next_at is not None and row.next_at > now
    ]
    tx.notifications.put(*freed)
    return freed
