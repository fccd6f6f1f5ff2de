"""A house for delivery's tests: a real database, a clock that is pushed, receivers that do as they are told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from pydantic import PrivateAttr

from sentinel.agent.ledger import load_state
from sentinel.core.alert import Alert
from sentinel.core.clock import ManualClock
from sentinel.core.labels import Labels
from sentinel.core.notification import Group, Notification, Reason, Settled, Told
from sentinel.core.severity import Severity
from sentinel.delivery.breaker import Breaker
from sentinel.delivery.lease import Leased, lease, reclaim
from sentinel.delivery.pace import FRESH
from sentinel.delivery.parcel import Landed, Parcel, Result
from sentinel.delivery.settle import settle
from sentinel.delivery.words import Words
from sentinel.notifiers.base import NotifierKind
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.telling import Telling
from sentinel.store.database import Database, Transaction
from tests.notifiers.messages import alert

NOW = datetime(2026, 1, 1, 2, 15, tzinfo=UTC)
S = TypeVar("S", bound=Settled)


class Scripted(NotifierKind):
    """A receiver that answers what the script says, and then takes everything."""

    _script: list[Exception] = PrivateAttr(default_factory=list)
    _heard: list[Message] = PrivateAttr(default_factory=list)
    _before: Callable[[], Awaitable[None]] | None = PrivateAttr(default=None)

    @property
    def script(self) -> list[Exception]:
        """Errors to raise, one each."""
        return self._script

    @property
    def heard(self) -> list[Message]:
        """What it was sent, accepted or not."""
        return self._heard

    def hold(self, before: Callable[[], Awaitable[None]] | None) -> None:
        """Wait for this before each answer."""
        self._before = before

    async def send(self, message: Message) -> Mapping[str, str]:
        """Do as the script says."""
        self._heard.append(message)
        if self._before:
            await self._before()
        if self._script:
            raise self._script.pop(0)
        return {"n": str(len(self._heard))}


@dataclass(frozen=True)
class Taken:
    """What was leased, of which a test mostly wants the one message."""

    leased: Leased

    @property
    def parcel(self) -> Parcel | None:
        """The first message with its rows."""
        return next(iter(self.leased.parcels), None)

    @property
    def row(self) -> Notification | None:
        """The row that carries it."""
        return self.parcel.rows[0] if self.parcel else None

    @property
    def message(self) -> Message | None:
        """Its words."""
        return self.parcel.message if self.parcel else None

    @property
    def trial(self) -> bool:
        """Whether it is the trial of a half-open circuit."""
        return self.parcel is not None and self.parcel.trial

    @property
    def next_at(self) -> datetime | None:
        """When to look again."""
        return self.leased.next_at

    @property
    def instead_at(self) -> datetime | None:
        """When the fallback is next told instead."""
        return self.leased.instead_at


class House:
    """Database, clock and words."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "sentinel.db"
        self.database = Database.open(f"sqlite:///{self.path}")
        self.clock = ManualClock(NOW)
        self.words = Words("shop-1")
        self.breaker = Breaker()
        self.pace = FRESH
        self.serial = 0

    @property
    def now(self) -> datetime:
        """The clock's instant."""
        return self.clock.now()

    async def write(self, work: Callable[[Transaction, Telling], S]) -> S:
        """Do what the desk does."""
        with self.database.begin() as tx:
            return work(tx, load_state(tx, self.now).telling)

    def notifier(self, name: str = "slack", **more: Any) -> Notifier:
        """Return a notifier that is scripted."""
        return Notifier(name, Scripted(), "scripted", **more)

    def owe(self, *alerts: Alert, notifier: str = "slack", group: str = "g", **more: Any) -> Notification:
        """Owe word of alerts, as routing does."""
        self.serial += 1
        about = alerts or (alert(),)
        row = Notification(
            id=f"{self.serial:04d}",
            notifier=notifier,
            group=group,
            reason=more.pop("reason", Reason.FIRING),
            alerts=tuple(one.fingerprint for one in about),
            severity=more.pop("severity", max(one.severity or one.peak or Severity.INFO for one in about)),
            created_at=more.pop("created_at", self.now),
            due_at=more.pop("due_at", self.now),
        )
        row = replace(row, next_at=row.due_at, **more)
        with self.database.begin() as tx:
            tx.alerts.put(*about)
            tx.groups.put(Group(group, "pages", Labels.of(rule="x"), row.alerts))
            tx.notifications.put(row)
        return row

    def lease(self, notifier: Notifier, space: int = 1) -> Taken:
        """Take the next one, or as many as there is space for."""
        with self.database.begin() as tx:
            telling = load_state(tx, self.now).telling
            leased = lease(tx, telling, notifier, self.breaker, self.words, self.now, self.pace, space)
        self.pace = leased.pace
        return Taken(leased)

    def settle(
        self, notifier: Notifier, taken: Taken | Parcel, error: Any = None, *, recovered: bool = False, **receipt: str
    ) -> Settled:
        """Write down how it ended."""
        parcel = taken if isinstance(taken, Parcel) else taken.parcel
        assert parcel
        landed = Landed(parcel, Result(None if error else receipt, error), self.now, recovered)
        with self.database.begin() as tx:
            return settle(tx, load_state(tx, self.now).telling, notifier, [landed])

    def reclaim(self) -> None:
        """Do what an agent does at its start."""
        with self.database.begin() as tx:
            reclaim(tx, self.now)

    def row(self, id_: str) -> Notification:
        """Return a row as it is on disk."""
        with self.database.read() as tx:
            row = tx.notifications.get(id_)
        assert row
        return row

    def rows(self) -> list[Notification]:
        """Return all rows, oldest first."""
        with self.database.read() as tx:
            return tx.notifications.newest(10_000)[::-1]

    def told(self, notifier: str, fingerprint: str) -> Told | None:
        """Return what a notifier heard last."""
        with self.database.read() as tx:
            return tx.told.get(notifier, fingerprint)

    def pass_time(self, **span: float) -> None:
        """Push the clock."""
        self.clock.advance(timedelta(**span))
