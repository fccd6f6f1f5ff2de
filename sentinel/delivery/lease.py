"""Lease: take what is sent next, and fix its words.

Runs on the desk, in one transaction. What a receiver may have seen is decided here and on disk before it sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

import structlog

from sentinel.core.notification import Notification, Settled, Settlement, Told
from sentinel.core.severity import Severity
from sentinel.delivery.backoff import ends_at
from sentinel.delivery.breaker import Breaker, Circuit
from sentinel.delivery.fallback import bury, next_instead, stand_in
from sentinel.delivery.order import choose, share
from sentinel.delivery.pace import FRESH, Pace
from sentinel.delivery.parcel import LEASE, Parcel
from sentinel.delivery.seal import Sealer
from sentinel.delivery.words import Words
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.telling import Telling

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: So many at most are told in one digest.
_DIGEST = 1000
#: So many dead letters or stand-ins are made in one transaction; the desk has more to do.
_BATCH = 100

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Leased(Settled):
    """What leasing changed, and what is to be done now.

    Args:
        parcels: to be sent, side by side.
        pace: after them.
        next_at: when to look again, if nothing happens before.
        instead_at: when the next critical one that is not accepted goes to the fallback too.
    """

    parcels: tuple[Parcel, ...] = ()
    pace: Pace = FRESH
    next_at: datetime | None = None
    instead_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Picked:
    """Bundles of rows, one message each, and whether the limit holds something back."""

    bundles: tuple[Sequence[Notification], ...]
    holding: bool = False


def lease(
    tx: Transaction,
    telling: Telling,
    notifier: Notifier,
    breaker: Breaker,
    words: Words,
    now: datetime,
    pace: Pace = FRESH,
    space: int = 1,
    heard: Iterable[Told] = (),
) -> Leased:
    """Take what a notifier sends next.

    1. Give the fallback the critical ones that were not accepted within 60 s.
    2. While the circuit is open nothing is sent; what would have had its last attempt by now is a dead letter.
    3. Choose the oldest that are due and wait for no other, as many as there is space for; a rate limit may make one
       digest of many.
    4. Seal them: facts are gathered and put into words, under a new key. What is sealed already keeps both.
    5. Mark them as leased, if they are still as they were seen.

    Args:
        tx: in which it is leased.
        telling: what was committed.
        notifier: whose debts they are.
        breaker: its circuit.
        words: how facts become messages.
        now: the instant.
        pace: of the notifier.
        space: how many messages are taken at most.
        heard: what the notifier heard, as this transaction has it and nothing that was committed.
    """
    changed = list(stand_in(tx, notifier, now, _BATCH))
    circuit = breaker.circuit(now)
    if circuit is not Circuit.CLOSED:
        changed += _expire(tx, notifier, breaker, now)
    instead_at = next_instead(tx, notifier, now)
    if breaker.holds(now) or not space:
        next_at = breaker.hold_until if space else None
        return Leased(tuple(changed), pace=pace, next_at=next_at, instead_at=instead_at)
    trial = circuit is Circuit.HALF_OPEN
    picked = _pick(tx, telling, notifier, pace, now, 1 if trial else space, trial=trial)
    swaps: list[tuple[Notification, Notification]] = []
    sealer = Sealer(notifier, words, now, telling, heard)
    parcels = []
    for bundle in picked.bundles:
        taken = _take(tx, notifier, sealer, bundle, now, trial=trial)
        changed += taken if isinstance(taken, list) else taken.rows
        if isinstance(taken, Parcel):
            parcels.append(taken)
            swaps += zip(bundle, taken.rows, strict=True)
    if tx.notifications.swap(*swaps) != len(swaps):
        raise LookupError("a notification is not as it was seen")  # the transaction is undone: somebody else has it
    if rate := notifier.rate_limit:
        pace = pace.took(len(parcels), rate, now, holding=picked.holding)
    times = [now] if picked.bundles and not parcels else []
    if len(parcels) < space:
        times += [at for at in [tx.notifications.next_at(notifier.name, now)] if at]
    if rate and picked.holding and not pace.room(rate, now):
        times.append(pace.opens_at(rate))
    return Leased(tuple(changed), (), tuple(parcels), pace, min(times, default=None), instead_at)


def reclaim(tx: Transaction, now: datetime) -> Settled:
    """End every lease: at the agent's start nobody who held one is alive. Words and keys are kept."""
    held = [row for row in tx.notifications.open() if row.settlement is Settlement.SENDING]
    freed = tuple(replace(row, leased_until=now) for row in held)
    tx.notifications.put(*freed)
    return Settled(freed)


def _pick(
    tx: Transaction, telling: Telling, notifier: Notifier, pace: Pace, now: datetime, space: int, *, trial: bool
) -> _Picked:
    """Return what is sent next. What is critical, or tells the end of what was, knows no limit."""
    name, rate = notifier.name, notifier.rate_limit
    waiting = tx.notifications.tried(name)
    tried = [*waiting, *(telling.open[id_] for id_ in tx.notifications.sending(name))]
    window = _DIGEST if rate else space + len(waiting)
    due = tx.notifications.due(name, now, window)
    if rate and len(due) == window:
        due += tx.notifications.due(name, now, window, Severity.CRITICAL)
    rows = choose(due, tried, now, trial=trial)
    while len(rows) < space and len(due) == window:  # the others wait for older ones: look further
        window *= 4
        due = tx.notifications.due(name, now, window)
        rows = choose(due, tried, now, trial=trial)
    if rate is None:
        return _Picked(_bundles(tx, rows[:space]))
    urgent = [row for row in rows if row.severity is Severity.CRITICAL]
    rest = [row for row in rows if row.severity is not Severity.CRITICAL]
    room, left = max(0, pace.room(rate, now) - len(urgent)), max(0, space - len(urgent))
    if not room or not left or not rest:
        return _Picked(_bundles(tx, urgent[:space]), holding=bool(rest) and (pace.holding or not room))
    if trial:
        return _Picked(_bundles(tx, [*urgent, *rest][:space]), holding=pace.holding)
    alone, together = share(rest, room, holding=pace.holding)
    digest = (together,) if together else ()
    return _Picked((*digest, *_bundles(tx, [*urgent, *alone][: space - len(digest)])))


def _bundles(tx: Transaction, rows: Sequence[Notification]) -> tuple[Sequence[Notification], ...]:
    """Return what each row's message tells: itself, or the digest that it was the first of."""
    return tuple(tx.notifications.in_digest(row.id) if row.digest else [row] for row in rows)


def _take(
    tx: Transaction, notifier: Notifier, sealer: Sealer, bundle: Sequence[Notification], now: datetime, *, trial: bool
) -> Parcel | list[Notification]:
    """Seal what one message tells, to be leased; return it, or the rows that ended otherwise."""
    try:
        sealed = sealer.seal(bundle)
    except Exception as exc:  # one row that cannot be put into words must not keep all others waiting
        log.exception("a notification cannot be put into words", notifier=notifier.name, id=bundle[0].id)
        why = f"it cannot be put into words: {type(exc).__name__}"
        return [changed for row in bundle for changed in bury(tx, notifier, row, why, now)]
    if sealed is None:
        why = "nothing is left to be told"
        gone = [replace(row, settlement=Settlement.WITHDRAWN, next_at=None, why=why) for row in bundle]
        tx.notifications.put(*gone)
        return gone
    message, content = sealed
    first, until = bundle[0], now + LEASE
    leased = tuple(
        replace(
            row,
            settlement=Settlement.SENDING,
            leased_until=until,
            key=message.key,
            content=content if row is first else "",
            digest=first.id if len(bundle) > 1 else row.digest,
        )
        for row in bundle
    )
    return Parcel(leased, message, until, trial)


def _expire(tx: Transaction, notifier: Notifier, breaker: Breaker, now: datetime) -> list[Notification]:
    """Make dead letters of what an open circuit kept back until after its last attempt."""
    since = f"{breaker.opened_at:%Y-%m-%d %H:%M UTC}"
    gone: list[Notification] = []
    for row in tx.notifications.due(notifier.name, now, _BATCH):
        if ends_at(row, notifier.tries) <= now:
            gone += bury(tx, notifier, row, f"nothing was accepted since {since}: {breaker.last_error}", now)
    return gone
