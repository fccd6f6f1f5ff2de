"""Deliver: the worker of one notifier leases, sends and settles, one notification after the other.

Each notifier has its own, so a slow receiver delays no other. It wakes when something was committed and when the next
one is due, and it waits; what is decided is decided by `lease` and `settle`, on the desk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from sentinel.core.clock import Clock
from sentinel.core.errors import StoreUnavailable, TryAgain
from sentinel.core.notification import Notification, Settled
from sentinel.delivery.attempt import SEND_TIMEOUT, attempt
from sentinel.delivery.breaker import Breaker, Circuit
from sentinel.delivery.fallback import next_instead, stand_in
from sentinel.delivery.lease import Leased, lease
from sentinel.delivery.settle import Result, settle
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: How long to wait where the database does not take what is to be written.
_STORE_WAIT = timedelta(seconds=1)
#: So many stand-ins are made in one transaction.
_BATCH = 100

S = TypeVar("S", bound=Settled)
log = structlog.get_logger(__name__)


class Write(Protocol):
    """How a worker has something written: the desk runs it in a transaction and answers after the commit."""

    def __call__(self, work: Callable[[Transaction], S]) -> Awaitable[S]:
        """Run the work on the desk."""
        ...


@dataclass(frozen=True, slots=True)
class Status:
    """How a notifier fares, for pages and metrics.

    Args:
        name: of the notifier.
        circuit: whether it is used.
        refusals: in a row.
        last_error: what the receiver said last; "" once it accepts again.
        accepted: messages since the agent started.
        refused: attempts since then.
        accepted_at: when it took the last one.
        opened_at: since when its circuit is not closed.
    """

    name: str
    circuit: Circuit
    refusals: int = 0
    last_error: str = ""
    accepted: int = 0
    refused: int = 0
    accepted_at: datetime | None = None
    opened_at: datetime | None = None


class Courier:
    """One notifier's worker.

    Args:
        notifier: whose messages it takes; may be replaced between two of them.
        write: has something written by the desk.
        clock: what time it is.
        words: how facts become messages; may be replaced likewise.
        nudge: called with the names of other notifiers that are owed something now.
        timeout: how long a receiver may take.
    """

    def __init__(
        self,
        notifier: Notifier,
        write: Write,
        clock: Clock,
        words: Words,
        nudge: Callable[[str], None] = lambda name: None,
        timeout: timedelta = SEND_TIMEOUT,
    ) -> None:
        self.notifier, self.words = notifier, words
        self._write, self._clock, self._nudge, self._timeout = write, clock, nudge, timeout
        self._breaker = Breaker()
        self._woken = asyncio.Event()
        self._stopping = False
        self._accepted = self._refused = 0
        self._accepted_at: datetime | None = None

    def wake(self) -> None:
        """Look again now: something was committed."""
        self._woken.set()

    def stop(self) -> None:
        """End after what is being sent now."""
        self._stopping = True
        self._woken.set()

    def status(self) -> Status:
        """Return how the notifier fares."""
        breaker = self._breaker
        return Status(
            self.notifier.name,
            breaker.circuit(self._clock.now()),
            breaker.refusals,
            breaker.last_error,
            self._accepted,
            self._refused,
            self._accepted_at,
            breaker.opened_at,
        )

    async def run(self) -> None:
        """Deliver until stopped."""
        while not self._stopping:
            self._woken.clear()
            leased = await self._written(self._lease)
            if leased is None:
                continue
            if leased.row and leased.message:
                await self._deliver(leased, leased.row, leased.message)
            elif not self._stopping:
                await self._rest(leased)

    def _lease(self, tx: Transaction) -> Leased:
        return lease(tx, self.notifier, self._breaker, self.words, self._clock.now())

    async def _rest(self, leased: Leased) -> None:
        """Wait until somebody calls, or something is due."""
        due = [at for at in (leased.next_at, leased.instead_at) if at]
        seconds = max(0.0, (min(due) - self._clock.now()).total_seconds()) if due else None
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    async def _deliver(self, leased: Leased, row: Notification, message: Message) -> None:
        """Send one message and settle it; a critical one that waits too long meanwhile goes to the fallback."""
        sending = asyncio.ensure_future(attempt(self.notifier, message, self._clock, self._timeout))
        try:
            instead_at = leased.instead_at
            while instead_at and not sending.done():
                left = (instead_at - self._clock.now()).total_seconds()
                done, _ = await asyncio.wait({sending}, timeout=max(0.01, left))
                if not done and (given := await self._written(self._stand_in)):
                    instead_at = given.instead_at
            result = await sending
        except asyncio.CancelledError:
            sending.cancel()
            raise
        was, now = self._breaker, self._clock.now()
        self._breaker = self._judged(result, now)
        recovered = was.opened_at is not None and self._breaker.opened_at is None
        self._tell(row, result, was)
        work = partial(
            settle,
            notifier=self.notifier,
            leased=row,
            result=result,
            now=now,
            trial=leased.trial,
            again=message.again,
            recovered=recovered,
        )
        # The receiver's answer is known and nowhere written down: this is tried until it is, or until the agent ends.
        while await self._written(work) is None:
            pass

    def _judged(self, result: Result, now: datetime) -> Breaker:
        if isinstance(result.error, TryAgain) and not result.error.done:
            self._refused += 1
            return self._breaker.refused(now, result.error.why, result.error.after)
        if result.accepted:
            self._accepted, self._accepted_at = self._accepted + 1, now
        else:
            self._refused += 1
        return self._breaker.accepted()

    def _tell(self, row: Notification, result: Result, was: Breaker) -> None:
        name = self.notifier.name
        if result.error:
            log.warning("not delivered", notifier=name, id=row.id, reason=str(row.reason), why=str(result.error))
        else:
            log.info("delivered", notifier=name, id=row.id, reason=str(row.reason))
        if was.opened_at is None and self._breaker.opened_at is not None:
            log.error("circuit closed -> open", notifier=name, why=self._breaker.last_error)
        elif was.opened_at is not None and self._breaker.opened_at is None:
            log.info("circuit half-open -> closed", notifier=name)

    def _stand_in(self, tx: Transaction) -> Leased:
        now = self._clock.now()
        given = tuple(stand_in(tx, self.notifier, now, _BATCH))
        return Leased(given, instead_at=next_instead(tx, self.notifier, now))

    async def _written(self, work: Callable[[Transaction], S]) -> S | None:
        """Have something written; None where the database did not take it, and a moment has passed."""
        try:
            settled = await self._write(work)
        except StoreUnavailable as exc:
            log.error("delivery waits for the database", notifier=self.notifier.name, why=str(exc))
        except Exception:  # a mistake of ours in one row must not end the worker, which would lose every message
            log.exception("delivery failed", notifier=self.notifier.name)
        else:
            self._wake_others(settled)
            return settled
        await asyncio.sleep(_STORE_WAIT.total_seconds())
        return None

    def _wake_others(self, settled: Settled) -> None:
        for row in settled.notifications:
            if row.notifier != self.notifier.name and row.settlement.open:
                self._nudge(row.notifier)
