"""Deliver: the worker of one notifier leases, sends and settles, a few notifications side by side.

Each notifier has its own, so a slow receiver delays no other. It wakes when something was committed, when an attempt
is over and when the next one is due; what is decided is decided by `lease` and `settle`, on the desk, and what ended
is settled in the transaction that leases what comes next.

A quick receiver is leased for ahead: one transaction for what it takes in a fifth of a second, and while the desk
works at the next one, the rest of this one is sent. What was leased and is not to be sent after all (the receiver
refuses, the agent stops) is given back.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

import structlog

from sentinel.core.clock import Clock
from sentinel.core.errors import StoreUnavailable, TryAgain
from sentinel.core.notification import Settled
from sentinel.delivery.attempt import SEND_TIMEOUT, attempt
from sentinel.delivery.breaker import Breaker, Circuit
from sentinel.delivery.lease import Leased, lease
from sentinel.delivery.pace import FRESH, Pace, ahead
from sentinel.delivery.parcel import Landed, Parcel, Result
from sentinel.delivery.settle import give_back, settle
from sentinel.delivery.words import Words
from sentinel.notifiers.base import Send
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.telling import Telling

if TYPE_CHECKING:
    from sentinel.store.database import Transaction

#: How long to wait where the database does not take what is to be written.
_STORE_WAIT = timedelta(seconds=1)

S = TypeVar("S", bound=Settled)
log = structlog.get_logger(__name__)


class Write(Protocol):
    """How a worker has something written: the desk runs it in a transaction and answers after the commit."""

    def __call__(self, work: Callable[[Transaction, Telling], S]) -> Awaitable[S]:
        """Run the work on the desk, with what was committed before."""
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
        self._pace: Pace | None = None
        self._woken = asyncio.Event()
        self._queue: deque[Parcel] = deque()  # leased, and sent as soon as another one has landed
        self._aloft: set[asyncio.Task[None]] = set()
        self._landed: list[Landed] = []
        self._unsent: list[Parcel] = []  # leased, and to be given back
        self._ahead = 0
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
        try:
            while not self._stopping:
                try:
                    async with self.notifier.kind.ready() as send:
                        await self._serve(self.notifier, send)
                except Exception:  # a mistake of ours, or a plugin's, must not end the worker: that loses every message
                    log.exception("delivery failed", notifier=self.notifier.name)
                    await asyncio.sleep(_STORE_WAIT.total_seconds())
        finally:
            for flight in self._aloft:
                flight.cancel()
            await asyncio.gather(*self._aloft, return_exceptions=True)

    async def _serve(self, notifier: Notifier, send: Send) -> None:
        """Deliver over what is open, until stopped or until the notifier is another one, and all of it is settled."""
        failed = False
        while True:
            self._woken.clear()
            ending = self._stopping or self.notifier.kind != notifier.kind
            if ending:
                self._leave_unsent()
            landed, unsent = tuple(self._landed), tuple(self._unsent)
            if ending and not (self._aloft or landed or unsent):
                return
            if not notifier.rate_limit:
                self._ahead = ahead([one.result for one in landed], notifier.kind.AT_ONCE) or self._ahead
            # Where both did not go together, what ended is settled alone: it is known, and nowhere written down.
            space = 0 if ending or (failed and landed) else self._space()
            leased = await self._written(partial(self._turn, landed=landed, unsent=unsent, space=space))
            failed = leased is None and not failed
            if leased is None:
                continue
            del self._landed[: len(landed)], self._unsent[: len(unsent)]
            self._tell(landed)
            self._pace = leased.pace
            self._queue += leased.parcels
            if self._breaker.refusals and len(self._queue) > 1:  # while the desk worked it began to refuse
                self._leave_unsent()
                self._woken.set()
            self._launch(send)
            if self._aloft or not ending:
                await self._rest(leased)

    def _space(self) -> int:
        """Return how many more may be leased now; a receiver that refuses is asked one thing at a time."""
        if self._breaker.refusals:
            return 0 if self._aloft else 1
        return max(0, max(self._ahead, self.notifier.kind.AT_ONCE) - len(self._queue) - len(self._aloft))

    def _turn(
        self,
        tx: Transaction,
        telling: Telling,
        *,
        landed: tuple[Landed, ...],
        unsent: tuple[Parcel, ...],
        space: int,
    ) -> Leased:
        """Settle what ended and lease what comes next, on the desk, in one transaction."""
        notifier = self.notifier
        now, pace = self._clock.now(), self._pace
        if pace is None:
            rate = notifier.rate_limit
            pace = Pace.resumed(tx.notifications.tried_since(notifier.name, now - rate.per)) if rate else FRESH
        uncounted = [*(one.parcel for one in landed if not one.result.counts), *unsent]
        pace = pace.without(parcel.leased_at for parcel in uncounted)
        settled = settle(tx, telling, notifier, landed) if landed else Settled()
        returned = give_back(tx, telling, unsent) if unsent else ()
        leased = lease(tx, telling, notifier, self._breaker, self.words, now, pace, space, settled.told)
        changed = (*settled.notifications, *returned, *leased.notifications)
        return replace(leased, notifications=changed, told=settled.told)

    def _launch(self, send: Send) -> None:
        """Send what is leased, side by side; what waited so long that its lease might end meanwhile is left."""
        ends_at = self._clock.now() + self._timeout
        while self._queue and len(self._aloft) < self.notifier.kind.AT_ONCE:
            parcel = self._queue.popleft()
            if parcel.leased_until < ends_at:
                self._unsent.append(parcel)
                self._woken.set()
            else:
                self._aloft.add(asyncio.create_task(self._fly(parcel, send)))

    def _leave_unsent(self) -> None:
        self._unsent += self._queue
        self._queue.clear()

    async def _rest(self, leased: Leased) -> None:
        """Wait until somebody calls, an attempt is over, or something is due."""
        due = [at for at in (leased.next_at, leased.instead_at) if at]
        seconds = max(0.0, (min(due) - self._clock.now()).total_seconds()) if due else None
        try:
            async with asyncio.timeout(seconds):  # `wait_for` would swallow a cancellation that comes with the call
                await self._woken.wait()
        except TimeoutError:
            return

    async def _fly(self, parcel: Parcel, send: Send) -> None:
        """Send one message, and note how that ended."""
        result = await attempt(self.notifier, parcel.message, self._clock, self._timeout, send)
        was, now = self._breaker, self._clock.now()
        self._breaker = self._judged(result, now)
        recovered = was.opened_at is not None and self._breaker.opened_at is None
        if recovered:
            log.info("circuit half-open -> closed", notifier=self.notifier.name)
        elif was.opened_at is None and self._breaker.opened_at is not None:
            log.error("circuit closed -> open", notifier=self.notifier.name, why=self._breaker.last_error)
        self._landed.append(Landed(parcel, result, now, recovered))
        self._aloft -= {asyncio.current_task()}
        if self._breaker.refusals:
            self._leave_unsent()
        self._launch(send)
        if len(self._queue) <= self._ahead // 2:
            self._woken.set()

    def _judged(self, result: Result, now: datetime) -> Breaker:
        if isinstance(result.error, TryAgain) and not result.error.done:
            self._refused += 1
            return self._breaker.refused(now, result.error.why, result.error.after)
        if result.accepted:
            self._accepted, self._accepted_at = self._accepted + 1, now
        else:
            self._refused += 1
        return self._breaker.accepted()

    def _tell(self, landed: Sequence[Landed]) -> None:
        """Log what was settled: a line for each refusal, one for all that was accepted for the same reason."""
        delivered: dict[str, list[str]] = defaultdict(list)
        for one in landed:
            reason, ids = str(one.parcel.message.reason), [row.id for row in one.parcel.rows]
            if one.result.error:
                log.warning(
                    "not delivered", notifier=self.notifier.name, reason=reason, ids=ids, why=str(one.result.error)
                )
            else:
                delivered[reason] += ids
        for reason, ids in delivered.items():
            log.info("delivered", notifier=self.notifier.name, reason=reason, ids=ids)

    async def _written(self, work: Callable[[Transaction, Telling], S]) -> S | None:
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
