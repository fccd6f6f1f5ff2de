"""group, notification, told: whom we owe word, and who has heard."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, func, literal_column, or_, select, text, type_coerce, update

from sentinel.core.clock import to_ms
from sentinel.core.notification import Group, Notification, Reason, Settlement, Told
from sentinel.core.severity import Severity
from sentinel.store.columns import Instant
from sentinel.store.shelf import Shelf, table_of
from sentinel.store.tables import NOT_INSTEAD, TRIED, AlertRow, GroupRow, NotificationRow, ToldRow

_OPEN = [settlement for settlement in Settlement if settlement.open]

#: What SQLite cannot know, since it has counted no rows: the oldest that are due stand first in the one index (a plus
#: keeps it from the other, in which all that are due would have to be sorted), and few were tried and wait.
_DUE = f"WHERE settlement = '{Settlement.WAITING}' AND notifier = ? AND +next_at <= ?"
_TRIED_BY = f"INDEXED BY ix_notification_tried WHERE notifier = ? AND {TRIED}"
_OLDEST = "ORDER BY created_at, id LIMIT ?"

#: When a row was tried last, in milliseconds; NULL where it never was.
_LAST_TRIED = "json_extract(attempts, '$[#-1].at')"
_SENDING = f"""
    SELECT id FROM notification WHERE settlement = '{Settlement.SENDING}' AND notifier = ? ORDER BY created_at, id
"""  # noqa: S608 # our own word
_STEP = (
    "SELECT created_at, id FROM notification WHERE (created_at, id) > (?, ?) AND created_at < ? ORDER BY 1, 2 LIMIT ?"
)
#: What nobody asks for any more: settled, and so old; not what first told of an alert that goes on.
_EXPIRE = f"""
    DELETE FROM notification
    WHERE (created_at, id) > (?, ?) AND (created_at, id) <= (?, ?)
    AND settlement IN ('{Settlement.DELIVERED}', '{Settlement.WITHDRAWN}')
    AND max(created_at, coalesce({_LAST_TRIED}, 0))
        < CASE reason WHEN '{Reason.UPDATED}' THEN ? ELSE ? END
    AND (
        reason IN ('{Reason.UPDATED}', '{Reason.REMINDER}')
        OR NOT EXISTS (SELECT 1 FROM json_each(alerts) AS one JOIN alert ON fingerprint = one.value)
    )
"""  # noqa: S608 # our own words


class Groups(Shelf[Group]):
    """Alerts that are told together, keyed by route and group labels."""

    ROW = GroupRow
    VALUE = Group

    def get(self, key: str) -> Group | None:
        """Return one, or None."""
        return next(iter(self._read(self._rows.where(self.table.c.key == key))), None)

    def remove(self, key: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(key=key)


class Notifications(Shelf[Notification]):
    """The outbox, and what became of each of its rows."""

    ROW = NotificationRow
    VALUE = Notification

    _COLUMNS = ", ".join(f'"{column.name}" = ?' for column in table_of(NotificationRow).columns)
    _SWAP = f"UPDATE notification SET {_COLUMNS} WHERE id = ? AND settlement = ? AND tries = ? AND leased_until IS ?"  # noqa: S608 # names of columns

    def get(self, id: str) -> Notification | None:  # noqa: A002 # the field's name
        """Return one, or None."""
        return next(iter(self._read(self._rows.where(self.table.c.id == id))), None)

    def open(self) -> list[Notification]:
        """Return all that are still owed, oldest first."""
        return self._read(self._oldest().where(self.table.c.settlement.in_(_OPEN)))

    def some(self, ids: Iterable[str]) -> dict[str, Notification]:
        """Return those of these that are there, by id."""
        return {row.id: row for row in self._read_some("id", ids)}

    def due(
        self, notifier: str, now: datetime, limit: int | None = None, severity: Severity | None = None
    ) -> list[Notification]:
        """Return what waited long enough for this notifier, oldest first; of one severity alone if that is said."""
        of = "" if severity is None else f"AND severity = '{severity}'"
        return self._read_sql(f"{_DUE} {of} {_OLDEST}", notifier, to_ms(now), -1 if limit is None else limit)

    def sending(self, notifier: str) -> list[str]:
        """Return the ids of what is leased for this notifier, oldest first; some of these leases may be over."""
        return list(self._connection.exec_driver_sql(_SENDING, (notifier,)).scalars())

    def tried(self, notifier: str) -> list[Notification]:
        """Return what waits for this notifier though it was sent once or more, oldest first."""
        return self._read_sql(f"{_TRIED_BY} {_OLDEST}", notifier, -1)

    def tried_since(self, notifier: str, since: datetime) -> list[Notification]:
        """Return those that carried a message after an instant, however that ended; a digest is one message."""
        column = self.table.c
        carrier = or_(column.digest == "", column.digest == column.id)
        tried = text(f"{_LAST_TRIED} > :since").bindparams(since=to_ms(since))
        return self._read(self._oldest().where(column.notifier == notifier, tried, carrier))

    def in_digest(self, id: str) -> list[Notification]:  # noqa: A002 # the field's name
        """Return the notifications that the digest of this one tells, oldest first."""
        column = self.table.c
        return self._read(self._oldest().where(column.digest == id, column.digest != literal_column("''")))

    def overdue(self, notifier: str, severity: Severity, before: datetime, limit: int) -> list[Notification]:
        """Return what this notifier is owed at a severity since before an instant and nobody was given instead."""
        column = self.table.c
        wanted = (column.notifier == notifier, column.severity == severity, column.due_at <= before, text(NOT_INSTEAD))
        return self._read(self._oldest().where(*wanted).limit(limit))

    def next_at(self, notifier: str, after: datetime) -> datetime | None:
        """Return when the next of those that are not due yet is, or its lease ends; None where none is."""
        column = self.table.c
        ends = [
            self._earliest(at, after, column.settlement == settlement, column.notifier == notifier)
            for settlement, at in ((Settlement.WAITING, column.next_at), (Settlement.SENDING, column.leased_until))
        ]
        return min((at for at in ends if at), default=None)

    def next_overdue(self, notifier: str, severity: Severity, after: datetime) -> datetime | None:
        """Return when the first of those that `overdue` will name was due."""
        column = self.table.c
        wanted = (column.notifier == notifier, column.severity == severity, text(NOT_INSTEAD))
        return self._earliest(column.due_at, after, *wanted)

    def owed(self, notifier: str, group: str) -> list[Notification]:
        """Return what this notifier is owed of a group, oldest first."""
        column = self.table.c
        owed = (column.settlement.in_(_OPEN), column.notifier == notifier, column.group == group)
        return self._read(self._oldest().where(*owed))

    def _earliest(
        self, at: ColumnElement[Any], after: datetime, *where: ColumnElement[bool] | TextClause
    ) -> datetime | None:
        statement = select(type_coerce(func.min(at), Instant)).where(*where, at > after)
        found: datetime | None = self._connection.execute(statement).scalar_one_or_none()
        return found

    def newest(
        self, limit: int, settlement: Settlement | None = None, notifier: str = "", about: str = ""
    ) -> list[Notification]:
        """Return the last ones, newest first; of a settlement, a notifier, or about an alert, if that is said.

        To find those about an alert it looks at every row: nothing for the desk.
        """
        column = self.table.c
        statement = self._rows.order_by(column.created_at.desc(), column.id.desc()).limit(limit)
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

    def counts(self, settlement: Settlement) -> dict[str, int]:
        """Return how many stand so, by notifier."""
        notifier = self.table.c.notifier
        statement = select(notifier, func.count()).where(self.table.c.settlement == settlement).group_by(notifier)
        return {name: int(count) for name, count in self._connection.execute(statement)}

    def swap(self, *changes: tuple[Notification, Notification]) -> int:
        """Put the second of each pair in the place of the first if that is still how it stands; return for how many.

        Compared are the settlement, the end of the lease and the number of tries, one of which every change moves.
        """
        rows = [(*self._converted(now), *_seen(was)) for was, now in changes]
        return self._connection.exec_driver_sql(self._SWAP, rows).rowcount if rows else 0

    def expire(
        self, before: datetime, quiet_before: datetime, after: tuple[int, str] | None, limit: int
    ) -> tuple[int, str] | None:
        """Look at some that are old, the oldest first, and delete those of which nothing is asked any more.

        Args:
            before: what was settled before this may go.
            quiet_before: likewise, of what only changed a message that was there, or renewed it.
            after: where the step before this one ended; None to begin.
            limit: how many are looked at.

        Returns:
            Where it ended; None after the last one.
        """
        begin = after or (0, "")
        step = self._connection.exec_driver_sql(_STEP, (*begin, to_ms(quiet_before), limit)).all()
        if not step:
            return None
        end = (int(step[-1][0]), str(step[-1][1]))
        self._connection.exec_driver_sql(_EXPIRE, (*begin, *end, to_ms(quiet_before), to_ms(before)))
        return end

    def rename(self, was: str, name: str) -> int:
        """Let what one notifier is owed, was sent or left to others be another one's; return how many rows that is."""
        column = self.table.c
        unsettled = column.settlement.in_([*_OPEN, Settlement.DEAD])
        left = update(self.table).where(unsettled, column.fallback_of == was).values(fallback_of=name)
        own = update(self.table).where(column.settlement.in_(list(Settlement)), column.notifier == was)
        return sum(self._connection.execute(change).rowcount for change in (left, own.values(notifier=name)))

    def _oldest(self) -> Select[Any]:
        return self._rows.order_by(self.table.c.created_at, self.table.c.id)


def _seen(was: Notification) -> tuple[str, str, int, int | None]:
    return was.id, str(was.settlement), was.tries, None if was.leased_until is None else to_ms(was.leased_until)


class ToldShelf(Shelf[Told]):
    """Who heard of which alert, keyed by notifier and fingerprint."""

    ROW = ToldRow
    VALUE = Told

    def get(self, notifier: str, fingerprint: str) -> Told | None:
        """Return what a notifier heard last of an alert, or None."""
        column = self.table.c
        return next(
            iter(self._read(self._rows.where(column.notifier == notifier, column.fingerprint == fingerprint))), None
        )

    def rename(self, was: str, name: str) -> int:
        """Let one notifier have heard what another one did; return of how many alerts that was."""
        heard = update(self.table).prefix_with("OR REPLACE").where(self.table.c.notifier == was)
        return self._connection.execute(heard.values(notifier=name)).rowcount

    def remove(self, notifier: str, fingerprint: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(notifier=notifier, fingerprint=fingerprint)

    def expire(self, before: datetime) -> None:
        """Forget whoever heard before this of an alert that is no more."""
        column = self.table.c
        there = select(table_of(AlertRow).c.fingerprint)
        self._connection.execute(self._gone.where(column.at < before, column.fingerprint.not_in(there)))

    def forget(self, fingerprint: str) -> bool:
        """Forget whoever heard of an alert, and say whether anybody was there."""
        return self._remove(fingerprint=fingerprint)
