"""Debts: what is owed, as one round changes it; what was owed before stays as it is."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

from sentinel.core.alert import Alert
from sentinel.core.notification import Notification, Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.routing.few import Few
from sentinel.routing.match import severity_of
from sentinel.routing.telling import Telling

#: From the most to the least pressing, as the enumeration is written.
PRESSING = {reason: rank for rank, reason in enumerate(Reason)}


@dataclass(slots=True)
class Debt:
    """One debt that the round changes. It may come to be about thousands of alerts, so it is put together at the end.

    Args:
        row: it, but for what is below.
        alerts: fingerprints of what it is about now.
        asked: those for which word is owed in this round, and why.
        severity: the highest of these.
        doubtful: whether what it said before may not be so any more.
    """

    row: Notification
    alerts: dict[str, None]
    asked: dict[str, Reason] = field(default_factory=dict)
    severity: Severity = Severity.INFO
    doubtful: bool = False


class Debts:
    """The open debts, by id, by group and by alert.

    The rows that it returns are right in everything but in what they are about and why: that is known at the end.

    Args:
        telling: what is.
        now: the round's instant.
    """

    def __init__(self, telling: Telling, now: datetime) -> None:
        self._telling, self._now = telling, now
        self._began = f"{int(now.timestamp() * 1_000_000):016d}"
        self._changed: dict[str, Debt] = {}
        self._ids = Few()  # group key or fingerprint to ids that came in here
        self._gathering: dict[tuple[str, str], str] = {}  # notifier and group to the one that takes more

    def about(self, fingerprint: str) -> list[Notification]:
        """Return the open debts about an alert, the oldest first."""
        rows = self._rows(self._telling.ids_about(fingerprint), self._ids.get(fingerprint, ()))
        return [row for row in rows if row.id not in self._changed or fingerprint in self._changed[row.id].alerts]

    def of_group(self, key: str) -> list[Notification]:
        """Return a group's open debts, the oldest first."""
        return list(self._rows(self._telling.ids_in(key), self._ids.get(key, ())))

    def owe(self, notifier: str, group: str, alert: Alert, reason: Reason, due_at: datetime) -> None:
        """Owe a notifier word of an alert; it joins what is not sealed yet, else it is a new debt."""
        fingerprint, severity = alert.fingerprint, severity_of(alert) or Severity.INFO
        row = self._open_to_more(notifier, group)
        if row is None:
            row = Notification(
                id=self.new_id(notifier, group),
                notifier=notifier,
                group=group,
                reason=reason,
                alerts=(fingerprint,),
                severity=severity,
                created_at=self._now,
                due_at=due_at,
                next_at=due_at,
            )
            self.put(row)
            self._gathering[notifier, group] = row.id
        debt = self._debt(row)
        if due_at < row.due_at:
            debt.row = replace(row, due_at=due_at, next_at=row.next_at if row.tries else due_at)
        if fingerprint not in debt.alerts:
            debt.alerts[fingerprint] = None
            self._ids.add(fingerprint, row.id)
        debt.asked[fingerprint] = pressing(debt.asked.get(fingerprint, reason), reason)
        debt.severity = max(debt.severity, severity)

    def take_back(self, row: Notification, fingerprint: str, why: str) -> None:
        """Take an alert out of a debt that was never leased; a debt about nothing else is withdrawn."""
        debt = self._debt(row)
        debt.alerts.pop(fingerprint, None)
        debt.asked.pop(fingerprint, None)
        debt.doubtful = True
        if not debt.alerts:
            debt.row = replace(debt.row, settlement=Settlement.WITHDRAWN, why=why, next_at=None)

    def doubt(self, row: Notification) -> None:
        """Let a debt's reason and severity be found anew, since what it is about has changed."""
        self._debt(row).doubtful = True

    def put(self, row: Notification) -> None:
        """Take a debt as it is given."""
        self._changed[row.id] = Debt(row, dict.fromkeys(row.alerts))
        for key in (row.group, *row.alerts):
            self._ids.add(key, row.id)

    def changed(self) -> Iterator[Debt]:
        """Iterate over what this round changed."""
        return iter(self._changed.values())

    def new_id(self, notifier: str, group: str) -> str:
        """Return an id that sorts in the order in which debts came to be; the serial keeps rounds of one instant apart.

        What is leased together then lies together on disk: in another order each lease of a storm rewrote many pages.
        """
        made_of = f"{notifier}\n{group}\n{self._telling.serial}"
        return f"{self._began}-{len(self._changed):05}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    def _rows(self, before: Iterable[str], here: Iterable[str]) -> Iterator[Notification]:
        ids = {*before, *here}
        return (row for id_ in sorted(ids) if (row := self._row(id_)).settlement.open) if ids else iter(())

    def _row(self, id_: str) -> Notification:
        return self._changed[id_].row if id_ in self._changed else self._telling.open[id_]

    def _debt(self, row: Notification) -> Debt:
        if row.id not in self._changed:
            self._changed[row.id] = Debt(row, dict.fromkeys(row.alerts))
        return self._changed[row.id]

    def _open_to_more(self, notifier: str, group: str) -> Notification | None:
        id_ = self._gathering.get((notifier, group))
        if id_ is not None and (row := self._row(id_)).settlement.open:
            return row
        found = next((row for row in self.of_group(group) if row.notifier == notifier and not row.sealed), None)
        if found is not None:
            self._gathering[notifier, group] = found.id
        return found


def pressing(*reasons: Reason) -> Reason:
    """Return the most pressing of several reasons."""
    return min(reasons, key=PRESSING.__getitem__)
