"""Debts to a notifier that is not configured any more: its fallback is told in its stead, else a person sees them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from sentinel.core.notification import Notification, Settlement
from sentinel.routing.draft import Draft


def disown(ids: Iterable[str], draft: Draft, fallbacks: Mapping[str, str]) -> list[str]:
    """Settle each debt that no worker will ever lease, so that none waits unseen; return the alerts concerned.

    Args:
        ids: debts to look at; one that is being sent is left until it is settled or its lease is over.
        draft: the round.
        fallbacks: those that held while the notifier was configured.
    """
    concerned: dict[str, None] = {}
    for id_ in sorted(ids):
        row = draft.telling.open.get(id_)
        if row is None or row.notifier in draft.policy.notifiers:
            draft.timers[id_] = None
        elif row.leased_until is not None and row.leased_until > draft.now:
            draft.timers[id_] = row.leased_until
        else:
            _settle(row, draft, fallbacks.get(row.notifier, ""))
            draft.timers[id_] = None
            concerned |= dict.fromkeys(row.alerts)
    return list(concerned)


def _settle(row: Notification, draft: Draft, fallback: str) -> None:
    why = f'notifier "{row.notifier}" is not configured any more'
    # The end of what it never heard of is not told to the fallback.
    fires = tuple(one for one in row.alerts if (alert := draft.alert(one)) and alert.severity is not None)
    if fires and fallback in draft.policy.notifiers:
        why = f"{why}; {fallback} is told in its stead"
        draft.debts.put(
            replace(
                row,
                id=draft.debts.new_id(fallback, row.group),
                notifier=fallback,
                alerts=fires,
                settlement=Settlement.WAITING,
                created_at=draft.now,
                next_at=row.due_at,
                tries=0,
                leased_until=None,
                key="",
                content="",
                digest="",
                attempts=(),
                fallback_of=row.notifier,
            )
        )
    draft.debts.put(replace(row, settlement=Settlement.DEAD, why=why, next_at=None, leased_until=None))
