"""group, notification, told: whom we owe word, and who has heard."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select, type_coerce, update

from sentinel.core.notification import Group, Notification, Settlement, Told
from sentinel.core.severity import Severity
from sentinel.store.columns import Instant
from sentinel.store.shelf import Shelf
from sentinel.store.tables import GroupRow, NotificationRow, ToldRow

_OPEN = [settlement for settlement in Settlement if settlement.open]


class Groups(Shelf[Group]):
    """Alerts that are told together, keyed by route and group labels."""

    ROW = GroupRow
    VALUE = Group

    def get(self, key: str) -> Group | None:
        """Return one, or None."""
        return next(iter(self._read(self._all.where(self.table.c.key == key))), None)

    def remove(self, key: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(key=key)


class Notifications(Shelf[Notification]):
    """The outbox, and what became of each of its rows."""

    ROW = NotificationRow
    VALUE = Notification

    def get(self, id: str) -> Notification | None:  # noqa: A002 # the field's name
        """Return one, or None."""
        return next(iter(self._read(self._all.where(self.table.c.id == id))), None)

    def open(self) -> list[Notification]:
        """Return all that are still owed, oldest first."""
        return self._read(self._oldest().where(self.table.c.settlement.in_(_OPEN)))

    def due(self, notifier: str, now: datetime, limit: int | None = None) -> list[Notification]:
        """Return what this notifier may be sent now, oldest first: waiting long enough, or its lease ran out."""
        column = self.table.c
        waited = (column.settlement == Settlement.WAITING) & (func.coalesce(column.next_at, column.due_at) <= now)
        expired = (column.settlement == Settlement.SENDING) & (column.leased_until <= now)
        return self._read(self._oldest().where(column.notifier == notifier, or_(waited, expired)).limit(limit))

    def tried(self, notifier: str) -> list[Notification]:
        """Return what this notifier is still owed though it was sent once or more, oldest first."""
        column = self.table.c
        return self._read(
            self._owed(notifier).where(or_(column.settlement == Settlement.SENDING, column.attempts != ()))
        )

    def overdue(self, notifier: str, severity: Severity, before: datetime, limit: int) -> list[Notification]:
        """Return what this notifier is owed at a severity since before an instant and nobody was given instead."""
        column = self.table.c
        wanted = (column.severity == severity) & (column.due_at <= before) & (column.why == "")
        return self._read(self._owed(notifier).where(wanted).limit(limit))

    def next_at(self, notifier: str, after: datetime) -> datetime | None:
        """Return when the next of those that are not due yet is, or its lease ends; None where none is."""
        column = self.table.c
        leased = column.settlement == Settlement.SENDING
        at = case((leased, column.leased_until), else_=func.coalesce(column.next_at, column.due_at))
        return self._earliest(notifier, at, after)

    def next_overdue(self, notifier: str, severity: Severity, after: datetime) -> datetime | None:
        """Return when the first of those that `overdue` will name was due."""
        column = self.table.c
        return self._earliest(notifier, column.due_at, after, column.severity == severity, column.why == "")

    def owed(self, notifier: str) -> list[Notification]:
        """Return all that this notifier is owed, oldest first."""
        return self._read(self._owed(notifier))

    def _owed(self, notifier: str) -> Select[Any]:
        column = self.table.c
        return self._oldest().where(column.notifier == notifier, column.settlement.in_(_OPEN))

    def _earliest(
        self, notifier: str, at: ColumnElement[Any], after: datetime, *where: ColumnElement[bool]
    ) -> datetime | None:
        column = self.table.c
        instant = type_coerce(func.min(at), Instant)
        owed = (column.notifier == notifier, column.settlement.in_(_OPEN), type_coerce(at, Instant) > after, *where)
        found: datetime | None = self._connection.execute(select(instant).where(*owed)).scalar_one_or_none()
        return found

    def newest(
        self, limit: int, settlement: Settlement | None = None, notifier: str = "", about: str = ""
    ) -> list[Notification]:
        """Return the last ones, newest first; of a settlement, a notifier, or about an alert, if that is said.

        To find those about an alert it looks at every row: nothing for the desk.
        """
        column = self.table.c
        statement = select(self.table).order_by(column.created_at.desc(), column.id.desc()).limit(limit)
        if settlement is not None:
            statement = statement.where(column.settlement == settlement)
        if notifier:
            statement = statement.where(column.notifier == notifier)
        if about:
            statement = statement.where(func.instr(column.alerts, f'"{about}"') > 0)
        return self._read(statement)

    def dead(self) -> list[Notification]:
        """Return every dead letter, oldest first."""
        return self._read(self._oldest().where(self.table.c.settlement == Settlement.DEAD))

    def count(self, settlement: Settlement) -> int:
        """Return how many stand so."""
        statement = select(func.count()).select_from(self.table).where(self.table.c.settlement == settlement)
        return int(self._connection.execute(statement).scalar_one())

    def swap(self, was: Notification, now: Notification) -> bool:
        """Put `now` in the place of `was` if that is still how it stands; a lost race is no error.

        Compared are the settlement, the end of the lease and the number of tries, one of which every change moves.
        """
        column = self.table.c
        statement = (
            update(self.table)
            .where(
                column.id == was.id,
                column.settlement == was.settlement,
                column.tries == was.tries,
                column.leased_until.is_not_distinct_from(was.leased_until),
            )
            .values(self._row(now))
        )
        return self._connection.execute(statement).rowcount == 1

    def _oldest(self) -> Select[Any]:
        return select(self.table).order_by(self.table.c.created_at, self.table.c.id)


class ToldShelf(Shelf[Told]):
    """Who heard of which alert, keyed by notifier and fingerprint."""

    ROW = ToldRow
    VALUE = Told

    def get(self, notifier: str, fingerprint: str) -> Told | None:
        """Return what a notifier heard last of an alert, or None."""
        column = self.table.c
        return next(
            iter(self._read(self._all.where(column.notifier == notifier, column.fingerprint == fingerprint))), None
        )

    def of(self, notifier: str, group: str) -> list[Told]:
        """Return what a notifier heard last of each alert in a group's messages, the oldest first."""
        column = self.table.c
        of = select(self.table).where(column.notifier == notifier, column.group == group)
        return self._read(of.order_by(column.at, column.fingerprint))

    def remove(self, notifier: str, fingerprint: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(notifier=notifier, fingerprint=fingerprint)

    def forget(self, fingerprint: str) -> bool:
        """Forget whoever heard of an alert, and say whether anybody was there."""
        return self._remove(fingerprint=fingerprint)
