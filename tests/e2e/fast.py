"""The agent without its loop: configuration, store, desk and delivery as they are, on a clock that is pushed.

What probes would bring is scripted; everything behind them is the product. A week passes in seconds.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from sentinel.agent.blindness import Blindness
from sentinel.agent.desk import Desk
from sentinel.config.config import Config
from sentinel.config.load import load
from sentinel.core.clock import ManualClock
from sentinel.core.errors import DeliveryFailed
from sentinel.core.heartbeat import Ping, PingKind
from sentinel.core.notification import Settled
from sentinel.core.sample import Batch, Sample
from sentinel.delivery.breaker import Breaker
from sentinel.delivery.lease import lease
from sentinel.delivery.pace import FRESH, Pace
from sentinel.delivery.parcel import Landed, Result
from sentinel.delivery.settle import settle
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Message
from sentinel.store.database import Database, Transaction
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep

S = TypeVar("S", bound=Settled)

#: One look of one probe: what it finds at an instant; None is a look that failed.
Look = Callable[[datetime], Mapping[str, float] | None]

BEGAN = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


class Inline(Executor):
    """Runs at once, on the thread that asks."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run it."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as exc:
            future.set_exception(exc)
        return future


@dataclass
class FastAgent:
    """One agent, on a folder with `tree.yaml` and a database; `crash` and `start` it again as you like.

    Attributes:
        looks: probe to what its looks find.
        heard: what receivers took, in order.
        refusals: notifier to how its receiver refuses whatever comes.
        readers: observe what looks back beyond the head; at once, unless a test says otherwise.
    """

    folder: Path
    looks: dict[str, Look] = field(default_factory=dict)
    clock: ManualClock = field(default_factory=lambda: ManualClock(BEGAN))
    heard: list[Message] = field(default_factory=list)
    refusals: dict[str, DeliveryFailed] = field(default_factory=dict)
    readers: Executor = field(default_factory=Inline)
    blindness: Blindness = field(default_factory=Blindness)
    _paces: dict[str, Pace] = field(default_factory=dict)
    _words: Words = field(default_factory=lambda: Words("test-agent"))

    def write(self, text: str) -> None:
        """Write the tree."""
        (self.folder / "tree.yaml").write_text(text)

    def start(self) -> FastAgent:
        """Start as the agent does."""
        self.config = self._load()
        self.database = Database.open(f"sqlite:///{self.folder / 'sentinel.db'}")
        weakref.finalize(self, self.database.close)  # most tests end without a word
        self.history = History(self.database, restore(self.database, self.clock.now()).head)
        upkeep = Upkeep(self.database, self.history, timedelta(days=35))
        self.desk = Desk(self.database, self.history, upkeep, self.clock, self.config, self.readers)
        self._next = {
            name: probe.every.next_after(self.clock.now(), name) for name, probe in self.config.probes.items()
        }
        self._look_at_jobs = self.clock.now()
        return self

    def _load(self) -> Config:
        return load([self.folder], {}, self.clock.now(), base=self.folder, agent="test-agent")

    def reload(self) -> None:
        """Swap to what the tree says now."""
        self.config = self._load()
        now = self.clock.now()
        for name, probe in self.config.probes.items():
            self._next.setdefault(name, probe.every.next_after(now, name))
        swapped = self.desk.adopt(self.config)
        self._settle_down()
        swapped.result(0)

    def leap(self, by: timedelta) -> None:
        """Set the wall clock; whoever is woken by it is woken anew."""
        now = self.clock.leap(by)
        self._next = {name: probe.every.next_after(now, name) for name, probe in self.config.probes.items()}
        self._look_at_jobs = now
        self._settle_down()

    def crash(self, away: timedelta = timedelta()) -> None:
        """Die as by SIGKILL: nothing more is written; time passes."""
        self.database.close()
        self.clock.advance(away)

    def restart(self, away: timedelta = timedelta()) -> FastAgent:
        """Die and start again."""
        self.crash(away)
        return self.start()

    def blinded(self, blind: bool) -> None:
        """Let the agent reach nothing at all, or again what is there."""
        self.blindness.note(self.desk, self.clock.now(), blind=blind)

    def ping(
        self, job: str, kind: PingKind = PingKind.SUCCESS, body: str = "", run: str = "", *, create: bool = False
    ) -> None:
        """Let a job call."""
        took = self.desk.ping(Ping(job, kind, self.clock.now(), run=run, body=body, create=create))
        self._settle_down()
        took.result(0)

    def run(self, span: timedelta, step: timedelta | None = None) -> FastAgent:
        """Let time pass: probes look when it is their turn, jobs are looked at every 15 s, messages go.

        Args:
            span: how much.
            step: wake up so often, beside the looks; None wakes up for every timer.
        """
        ends = self.clock.now() + span
        while (now := self.clock.now()) < ends:
            moments = [*(self._next[name] for name in self.looks), now + step if step else self._next_timer(now), ends]
            self.clock.advance(max(timedelta(milliseconds=1), min(moments) - now))
            self._bring(self.clock.now())
            self._settle_down()
        return self

    def _next_timer(self, now: datetime) -> datetime:
        timers = (self.desk.agenda.next_at, self.desk.turns.next_at, self.desk.state.next_at, self._look_at_jobs)
        return min(at for at in timers if at is not None and at > now)

    def _bring(self, now: datetime) -> None:
        for name, look in self.looks.items():
            if self._next[name] <= now:
                self._next[name] = self.config.probes[name].every.next_after(now, name)
                self.desk.arrive(self.seen(name, look(now)))
        if self._look_at_jobs <= now:
            self._look_at_jobs = now + timedelta(seconds=15)
            for job in self.desk.jobs.look(now):
                self.desk.arrive(job)

    def seen(self, name: str, found: Mapping[str, float] | None) -> Batch:
        """Return what a look of a probe brings now."""
        probe = self.config.probes[name]
        return batch(name, found, self.clock.now(), probe.interval, scrape=probe.kind_name == "scrape")

    def look(self, name: str, found: Mapping[str, float] | None) -> None:
        """Let a probe look now, whenever its turn would be."""
        self.desk.arrive(self.seen(name, found))
        self._settle_down()

    def _settle_down(self) -> None:
        """Turn the desk until nothing is due now, and deliver what is."""
        for _ in range(50):
            rest = self.desk.turn()
            owed = {row.notifier for row in self.desk.state.telling.open.values()}
            delivered = sum(self._deliver(name) for name in sorted(owed))
            if rest > 0 and not delivered:
                return
        raise AssertionError("the desk does not come to rest")

    def _deliver(self, name: str) -> bool:
        notifier, now = self.config.notifiers[name], self.clock.now()
        pace = self._paces.get(name, FRESH)
        leased = self._write(lambda tx: lease(tx, self.desk.state.telling, notifier, Breaker(), self._words, now, pace))
        self._paces[name] = leased.pace
        if leased.parcels:
            [parcel] = leased.parcels
            error = self.refusals.get(name)
            if error is None:
                self.heard.append(parcel.message)
            landed = Landed(parcel, Result(None if error else {"id": parcel.message.key}, error), now)
            self._write(lambda tx: settle(tx, self.desk.state.telling, notifier, [landed]))
        return bool(leased.parcels)

    def _write(self, work: Callable[[Transaction], S]) -> S:
        done = self.desk.write(work, self.desk.settled)
        self.desk.turn()
        return done.result(0)

    def told(self, notifier: str = "") -> list[str]:
        """Return what receivers heard as lines: reason, severity, then each rule of the news."""
        return [
            f"{message.reason} {message.severity} {' '.join(sorted({alert.rule for alert in message.facts.news}))}"
            for message in self.heard
            if notifier in ("", message.notifier)
        ]

    def changes(self, rule: str) -> list[str]:
        """Return the audit's transitions of one rule: what changed, and to which severity."""
        with self.database.read() as tx:
            rows = tx.audit.newest(10_000, kind="transition")
        found = [row.body for row in reversed(rows) if row.body["rule"] == rule]
        return [f"{body['change']} {body['severity'] or ''}".strip() for body in found]


def batch(name: str, found: Mapping[str, float] | None, now: datetime, interval: timedelta, *, scrape: bool) -> Batch:
    """Return what `probes.run` makes of a look."""
    own = {"job": name, "instance": "shop:8000"} if scrape else {"probe": name}
    verdict = [
        Sample("probe_success", float(found is not None), {"probe": name}),
        Sample("probe_consecutive_failures", 0.0 if found is not None else 1.0, {"probe": name}),
    ]
    samples = [
        Sample(*_series(series, own, value), counter="_total" in series) for series, value in (found or {}).items()
    ]
    return Batch(name, (*samples, *verdict), now, interval, whole=found is not None, counters_from_zero=scrape)


def _series(series: str, own: Mapping[str, str], value: float) -> tuple[str, float, Mapping[str, str]]:
    name, _, inner = series.partition("{")
    pairs: Iterable[list[str]] = (pair.split("=") for pair in inner.rstrip("}").split(",") if pair)
    return name, value, {**own, **{label: text.strip('"') for label, text in pairs}}
