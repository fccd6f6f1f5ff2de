"""Which of the notifications that wait are sent next, and which of them together; pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sentinel.core.notification import Notification, Reason, Settlement

_NEVER = datetime.min.replace(tzinfo=UTC)


def choose(
    due: Sequence[Notification], tried: Sequence[Notification], now: datetime, *, trial: bool = False
) -> list[Notification]:
    """Return those that may be sent now, side by side, oldest first.

    A notification waits for each older one of its group or about one of its alerts, so that nobody hears of an end
    before he heard of the beginning. Those that another one's digest tells go with that one.

    Args:
        due: what waited long enough.
        tried: what was sent already and not accepted, whether it waits or is being sent.
        now: the instant.
        trial: whether the circuit is half-open: then anything may be tried, and what was tried longest ago comes
            first, so that one message which the receiver cannot bear does not keep all others waiting.
    """
    known = {row.id: row for row in (*due, *tried)}
    ready = {row.id for row in due} | {row.id for row in tried if _left_behind(row, now)}
    groups: set[str] = set()
    alerts: set[str] = set()
    found: list[Notification] = []
    for row in sorted(known.values(), key=lambda row: (row.created_at, row.id)):
        free = row.group not in groups and alerts.isdisjoint(row.alerts)
        at_rest = row.settlement is Settlement.WAITING or row.id in ready
        if free and row.digest in ("", row.id) and (row.id in ready or (trial and at_rest)):
            found.append(row)
        groups.add(row.group)
        alerts.update(row.alerts)
    return sorted(found, key=lambda row: row.attempts[-1].at if row.attempts else _NEVER) if trial else found


def share(rows: Sequence[Notification], room: int, *, holding: bool) -> tuple[list[Notification], list[Notification]]:
    """Return what is sent by itself under a rate limit, and what is told together in one digest.

    Where all of it has room, each is sent by itself, unless some was held back before: then all that can be told
    together is. Where it has not, the last message that has room is the digest. What is sealed keeps its words, and
    what only changes a message that is there belongs in no other one.

    Args:
        rows: that may be sent now, none of them critical.
        room: how many messages the limit lets through.
        holding: whether something was held back before.
    """
    if room <= 0 or (len(rows) <= room and not holding):
        return list(rows[: max(0, room)]), []
    together = [row for row in rows if not row.sealed and row.reason is not Reason.UPDATED]
    alone = [row for row in rows if row.sealed or row.reason is Reason.UPDATED][: room - 1]
    if not holding:
        beside = room - 1 - len(alone)
        alone, together = [*alone, *together[:beside]], together[beside:]
    if len(together) < 2:
        return list(rows[:room]), []
    return alone, together


def _left_behind(row: Notification, now: datetime) -> bool:
    """Say whether whoever leased it did not settle it in time."""
    return row.settlement is Settlement.SENDING and row.leased_until is not None and row.leased_until <= now
