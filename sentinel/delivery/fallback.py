"""What a notifier does not take in time, another one is given; and what nobody takes is a dead letter."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sentinel.core.notification import Notification, Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.delivery.seal import unsealed
from sentinel.notifiers.notifier import Notifier

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: A critical notification that was not accepted for so long goes to the fallback too.
INSTEAD_AFTER = timedelta(seconds=60)


def stand_in(tx: Transaction, notifier: Notifier, now: datetime, limit: int) -> Iterator[Notification]:
    """Give the fallback what is critical and was not accepted for a minute; the rows changed and made are yielded."""
    if not notifier.fallback:
        return
    before = now - INSTEAD_AFTER
    for row in tx.notifications.overdue(notifier.name, Severity.CRITICAL, before, limit):
        if row.reason is Reason.TEST:
            continue
        made, why = instead(tx, row, notifier.fallback, now)
        changed = replace(row, why=why)
        tx.notifications.put(changed)
        yield changed
        if made:
            yield made


def next_instead(tx: Transaction, notifier: Notifier, now: datetime) -> datetime | None:
    """Return when the next critical notification goes to the fallback, unless it is accepted before."""
    if not notifier.fallback:
        return None
    due_at = tx.notifications.next_overdue(notifier.name, Severity.CRITICAL, now - INSTEAD_AFTER)
    return due_at + INSTEAD_AFTER if due_at else None


def instead(tx: Transaction, row: Notification, fallback: str, now: datetime) -> tuple[Notification | None, str]:
    """Owe the fallback what a row says, unless it hears of it anyway; return the new row, and words."""
    if fallback in _line(row):
        return None, f"{fallback} was tried before"
    alerts = tx.alerts.some(row.alerts)
    if row.alerts and all(alert.severity is None for alert in alerts.values()):
        return None, f"it is over, and {fallback} hears of no end whose beginning it did not hear"
    if _hears_anyway(tx, row, fallback):
        return None, f"{fallback} hears of it anyway"
    made = Notification(
        id=f"{row.id}>{fallback}",
        notifier=fallback,
        group=row.group,
        reason=row.reason,
        alerts=row.alerts,
        severity=row.severity,
        created_at=row.due_at,
        due_at=now,
        next_at=now,
        fallback_of=row.notifier,
    )
    if tx.notifications.get(made.id) is not None:
        return None, f"{fallback} was told instead"
    tx.notifications.put(made)
    return made, f"{fallback} is told instead"


def bury(tx: Transaction, notifier: Notifier | None, row: Notification, why: str, now: datetime) -> list[Notification]:
    """Make a dead letter of a row, and owe it to the fallback if that was not done before."""
    made, instead_why = None, row.why
    if notifier and notifier.fallback and not row.why and row.reason is not Reason.TEST:
        made, instead_why = instead(tx, row, notifier.fallback, now)
    dead = replace(
        unsealed(row) if row.digest else row,  # retried by hand it is told by itself
        settlement=Settlement.DEAD,
        leased_until=None,
        next_at=None,
        why=f"{why}; {instead_why}" if instead_why else why,
    )
    tx.notifications.put(dead)
    return [dead, made] if made else [dead]


def _line(row: Notification) -> set[str]:
    """Return the notifiers that this word has been given to, one in the stead of the other."""
    return {row.notifier, row.fallback_of, *row.id.split(">")[1:]}


def _hears_anyway(tx: Transaction, row: Notification, fallback: str) -> bool:
    """Say whether the fallback was told the same since, or is owed it on its own account."""
    alerts = set(row.alerts)
    for own in tx.notifications.owed(fallback, row.group):
        if not own.fallback_of:
            alerts -= set(own.alerts)
    for fingerprint in list(alerts):
        told = tx.told.get(fallback, fingerprint)
        if told and told.at >= row.created_at and told.severity == _heard_as(row):
            alerts.discard(fingerprint)
    return bool(row.alerts) and not alerts


def _heard_as(row: Notification) -> Severity | None:
    return None if row.reason is Reason.RESOLVED else row.severity
