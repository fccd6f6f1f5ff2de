"""Settle: write down how an attempt ended, and who was told; in one transaction, so that both are true or neither.

                   accepted                         DELIVERED, and who was told
SENDING  ---------- surely refused, tries left ---> WAITING, unsealed: what happened since joins it
(leased) ---------- nobody knows, tries left -----> WAITING, words and key kept
                   refused for good, or no tries -> DEAD, and the fallback is owed it
         ---------- given back, never sent -------> WAITING, unsealed unless it was sent before

What one digest tells is settled at once, each notification by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from sentinel.core.errors import DeliveryFailed, TryAgain
from sentinel.core.notification import Attempt, Notification, Settled, Settlement, Told
from sentinel.core.severity import Severity
from sentinel.delivery.backoff import wait
from sentinel.delivery.fallback import bury
from sentinel.delivery.parcel import Landed, Parcel
from sentinel.delivery.seal import unsealed
from sentinel.notifiers.base import WHY
from sentinel.notifiers.message import AlertFact, Message
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.telling import Telling

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: So many attempts are kept with a notification, the newest.
KEPT = 20


def settle(tx: Transaction, telling: Telling, notifier: Notifier, landed: Sequence[Landed]) -> Settled:
    """Write down how attempts ended; it comes first in its transaction, so that `telling` has what is on disk.

    A row that is not as it was leased belongs to somebody else by now: nothing is written of it.
    """
    changed: list[Notification] = []
    told: list[Told] = []
    for one in landed:
        rows = [row for leased in one.parcel.rows if (row := telling.open.get(leased.id)) and _is_ours(row, leased)]
        result = one.result
        attempt = Attempt(one.at, str(result.error or ""), round(result.took_seconds, 3), counts=result.counts)
        if result.error is None:
            told += _told(one, rows)
            changed += [_accepted(row, attempt, (result.receipt or {}).get(WHY, "")) for row in rows]
        elif rows:
            counted = 0 if one.parcel.trial else 1
            rows = [replace(row, tries=row.tries + counted, attempts=_newest(row, attempt)) for row in rows]
            changed += _refused(tx, notifier, one, result.error, rows)
    tx.notifications.put(*changed)
    tx.told.put(*told)
    if any(one.recovered for one in landed):
        changed += _release(tx, notifier.name, landed[-1].at)
    return Settled(tuple(changed), tuple(told))


def give_back(tx: Transaction, telling: Telling, parcels: Sequence[Parcel]) -> tuple[Notification, ...]:
    """Let what was leased and not sent wait as it did before; return the rows.

    It keeps words and key only if an earlier attempt at them may have been accepted unheard.
    """
    changed = tuple(
        replace(row, settlement=Settlement.WAITING, leased_until=None) if parcel.message.again else unsealed(row)
        for parcel in parcels
        for leased in parcel.rows
        if (row := telling.open.get(leased.id)) and _is_ours(row, leased)
    )
    tx.notifications.put(*changed)
    return changed


def _is_ours(row: Notification, leased: Notification) -> bool:
    return row.settlement is Settlement.SENDING and row.key == leased.key


def _told(one: Landed, rows: Sequence[Notification]) -> list[Told]:
    """Return who heard of what. A digest's receipt is none of a group's: no later message of one group answers it."""
    if not rows:
        return []
    first = one.parcel.rows[0]
    renamed = rows[0].id == first.id and rows[0].content != first.content
    message = Message.unseal(rows[0].content) if renamed else one.parcel.message
    news = {fact.fingerprint: fact for fact in message.facts.news}
    receipt = {} if first.digest else {name: text for name, text in (one.result.receipt or {}).items() if name != WHY}
    return [
        Told(row.notifier, fingerprint, row.group, _heard(news[fingerprint]), one.at, receipt)
        for row in rows
        for fingerprint in row.alerts
        if fingerprint in news
    ]


def _heard(fact: AlertFact) -> Severity | None:
    return None if fact.over else fact.severity


def _newest(row: Notification, attempt: Attempt) -> tuple[Attempt, ...]:
    return (*row.attempts, attempt)[-KEPT:]


def _accepted(row: Notification, attempt: Attempt, why: str) -> Notification:
    return replace(
        row,
        settlement=Settlement.DELIVERED,
        tries=row.tries + 1,
        attempts=_newest(row, attempt),
        leased_until=None,
        next_at=None,
        why=why or row.why,
    )


def _refused(
    tx: Transaction, notifier: Notifier, one: Landed, error: DeliveryFailed, rows: Sequence[Notification]
) -> list[Notification]:
    first = rows[0]
    # An attempt before may have been accepted unheard: a refusal now says nothing of that one.
    surely = not one.parcel.message.again and not (isinstance(error, TryAgain) and not error.sure)
    if not isinstance(error, TryAgain) or first.tries >= notifier.tries:
        last = f" (attempt {first.tries} of {notifier.tries})" if isinstance(error, TryAgain) else ""
        buried = [unsealed(row) for row in rows] if surely else rows
        return [changed for row in buried for changed in bury(tx, notifier, row, f"{error}{last}", one.at)]
    next_at = one.at + wait(first.id, max(1, first.tries), error.after)
    if error.done:
        content = replace(Message.unseal(first.content), done=error.done).seal()
        rows = [replace(first, content=content), *rows[1:]]
    if surely:
        return [replace(unsealed(row), next_at=next_at) for row in rows]
    return [replace(row, settlement=Settlement.WAITING, leased_until=None, next_at=next_at) for row in rows]


def _release(tx: Transaction, notifier: str, now: datetime) -> list[Notification]:
    """Make all that wait for their next attempt due: the receiver is back."""
    freed = [
        replace(row, next_at=now)
        for row in tx.notifications.tried(notifier)
        if row.next_at is not None and row.next_at > now
    ]
    tx.notifications.put(*freed)
    return freed
