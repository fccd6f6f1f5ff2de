"""Lease: take the next notification, and fix its words.

Runs on the desk, in one transaction. What a receiver may have seen is decided here and on disk before it sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sentinel.core.notification import Notification, Settled, Settlement
from sentinel.delivery import phrases
from sentinel.delivery.backoff import ends_at
from sentinel.delivery.breaker import Breaker, Circuit
from sentinel.delivery.facts import gather
from sentinel.delivery.fallback import INSTEAD_AFTER, bury, next_instead, stand_in
from sentinel.delivery.order import choose
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: A lease ends by itself after this: longer than a send may take, so that two never send the same at one time.
LEASE = timedelta(seconds=60)
#: A message that leaves later than this after it was due says so.
LATE = timedelta(minutes=1)
#: So many that are due are looked at first for the next one; more often than not it is the oldest.
_WINDOW = 16
#: So many dead letters or stand-ins are made in one transaction; the desk has more to do.
_BATCH = 100

__all__ = ["INSTEAD_AFTER", "LATE", "LEASE", "Leased", "lease", "reclaim", "unsealed"]


@dataclass(frozen=True, slots=True)
class Leased(Settled):
    """What leasing changed, and what is to be done now.

    Args:
        row: leased, to be sent and settled; None where nothing may be sent now.
        message: its words.
        trial: whether it is the trial of a half-open circuit, which is not counted.
        next_at: when to look again.
        instead_at: when the next critical one that is not accepted goes to the fallback too.
    """

    row: Notification | None = None
    message: Message | None = None
    trial: bool = False
    next_at: datetime | None = None
    instead_at: datetime | None = None


def lease(tx: Transaction, notifier: Notifier, breaker: Breaker, words: Words, now: datetime) -> Leased:
    """Take the next notification of a notifier.

    1. Give the fallback the critical ones that were not accepted within 60 s.
    2. While the circuit is open nothing is sent; what would have had its last attempt by now is a dead letter.
    3. Choose the oldest that is due and waits for no other.
    4. Seal it: facts are gathered and put into words, under a new key. What is sealed already keeps both.
    5. Mark it as leased, if it is still as it was seen.
    """
    changed = list(stand_in(tx, notifier, now, _BATCH))
    circuit = breaker.circuit(now)
    if circuit is not Circuit.CLOSED:
        changed += _expire(tx, notifier, breaker, now)
    instead_at = next_instead(tx, notifier, now)
    if breaker.holds(now):
        return Leased(tuple(changed), next_at=breaker.hold_until, instead_at=instead_at)
    trial = circuit is Circuit.HALF_OPEN
    tried = tx.notifications.tried(notifier.name)
    due = tx.notifications.due(notifier.name, now, _WINDOW)
    row = choose(due, tried, now, trial=trial)
    if row is None and len(due) == _WINDOW:  # all of them wait for older ones: look at the rest
        row = choose(tx.notifications.due(notifier.name, now), tried, now, trial=trial)
    if row is None:
        return Leased(tuple(changed), next_at=tx.notifications.next_at(notifier.name, now), instead_at=instead_at)
    sealed = row if row.sealed else _seal(tx, row, notifier, words, now)
    if sealed is None:
        gone = replace(row, settlement=Settlement.WITHDRAWN, next_at=None, why="nothing is left to be told")
        tx.notifications.put(gone)
        return Leased((*changed, gone), next_at=now, instead_at=instead_at)
    leased = replace(sealed, settlement=Settlement.SENDING, leased_until=now + LEASE)
    if not tx.notifications.swap(row, leased):
        return Leased(tuple(changed), next_at=now, instead_at=instead_at)
    message = replace(Message.unseal(leased.content), again=row.sealed)
    return Leased((*changed, leased), (), leased, message, trial, instead_at=instead_at)


def reclaim(tx: Transaction, now: datetime) -> Settled:
    """End every lease: at the agent's start nobody who held one is alive. Words and keys are kept."""
    held = [row for row in tx.notifications.open() if row.settlement is Settlement.SENDING]
    freed = tuple(replace(row, leased_until=now) for row in held)
    tx.notifications.put(*freed)
    return Settled(freed)


def unsealed(row: Notification) -> Notification:
    """Return a row without its words: what has happened since joins it, and it leaves under a new key."""
    return replace(row, key="", content="", settlement=Settlement.WAITING, leased_until=None)


def _seal(tx: Transaction, row: Notification, notifier: Notifier, words: Words, now: datetime) -> Notification | None:
    """Return the row with its words, or None if nothing is known any more of what it is about."""
    news = [alert for fingerprint in row.alerts if (alert := tx.alerts.get(fingerprint))]
    if row.alerts and not news:
        return None
    told = [told for told in tx.told.of(row.notifier, row.group) if told.severity is not None]
    others = [alert for one in told if (alert := tx.alerts.get(one.fingerprint))]
    facts = gather(words.agent, tx.groups.get(row.group), news, others, now)
    owed_since = row.created_at if row.fallback_of else row.due_at
    message = words.message(
        key=_key(row, now),
        notifier=row.notifier,
        reason=row.reason,
        severity=phrases.highest(facts.news, row.severity),
        facts=facts,
        markup=notifier.kind.MARKUP,
        earlier=told[-1].receipt if told else {},
        late_by=now - owed_since if now - owed_since > LATE else timedelta(),
    )
    return replace(row, key=message.key, content=message.seal())


def _key(row: Notification, now: datetime) -> str:
    """Return an idempotency key: 32 hex digits, so that it can be an event's id at Sentry."""
    made_of = f"{row.id}\n{len(row.attempts)}\n{now.isoformat()}"
    return hashlib.sha256(made_of.encode()).hexdigest()[:32]


def _expire(tx: Transaction, notifier: Notifier, breaker: Breaker, now: datetime) -> Sequence[Notification]:
    """Make dead letters of what an open circuit kept back until after its last attempt."""
    since = f"{breaker.opened_at:%Y-%m-%d %H:%M UTC}"
    gone: list[Notification] = []
    for row in tx.notifications.due(notifier.name, now, _BATCH):
        if row.settlement is Settlement.WAITING and ends_at(row, notifier.tries) <= now:
            gone += bury(tx, notifier, row, f"nothing was accepted since {since}: {breaker.last_error}", now)
    return gone
