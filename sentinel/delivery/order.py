"""Which of the notifications that wait is sent next; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sentinel.core.notification import Notification, Settlement

_NEVER = datetime.min.replace(tzinfo=UTC)


def choose(
    due: Sequence[Notification], tried: Sequence[Notification], now: datetime, *, trial: bool = False
) -> Notification | None:
    """Return the next one, or None.

    A notification waits for each older one of its group or about one of its alerts, so that nobody hears of an end
    before he heard of the beginning.

    Args:
        due: what may be sent now, oldest first.
        tried: what was sent already and not accepted, oldest first, due or not.
        now: the instant.
        trial: whether the circuit is half-open: then anything may be tried, and what was tried longest ago comes
            first, so that one message which the receiver cannot bear does not keep all others waiting.
    """
    known = {row.id for row in tried}
    rows = sorted([*tried, *(row for row in due if row.id not in known)], key=lambda row: (row.created_at, row.id))
    ready = {row.id for row in due}
    groups: set[str] = set()
    alerts: set[str] = set()
    found: list[Notification] = []
    for row in rows:
        free = row.group not in groups and alerts.isdisjoint(row.alerts)
        if free and (row.id in ready or (trial and _at_rest(row, now))):
            found.append(row)
            if not trial:
                break
        groups.add(row.group)
        alerts.update(row.alerts)
    return min(found, key=lambda row: row.attempts[-1].at if row.attempts else _NEVER, default=None)


def _at_rest(row: Notification, now: datetime) -> bool:
    """Say whether nobody holds a lease on it."""
    return row.settlement is Settlement.WAITING or row.leased_until is None or row.leased_until <= now
