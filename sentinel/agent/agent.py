"""The agent: the whole house wired together, started and stopped.

start    database → configuration → samples of before → desk → probes → delivery, watching
stop     no new looks → inbox emptied → delivery finishes what it leased, or lets it expire → checkpoint
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from pydantic import SecretStr

from sentinel.agent.alarm import Alarm, call_for
from sentinel.agent.blindness import Blindness
from sentinel.agent.desk import Desk
from sentinel.agent.log import Redaction
from sentinel.agent.lookout import Surroundings
from sentinel.agent.lookouts import Lookouts, hand_over
from sentinel.agent.numbers import EVERY, Standing, numbers, numbers_of_samples, own_batch
from sentinel.agent.operators import Operators
from sentinel.agent.pulse import Pulse
from sentinel.agent.readings import span
from sentinel.agent.reference import Reference
from sentinel.agent.shown import view_of
from sentinel.agent.sign import call, rest, why_silent
from sentinel.agent.timetable import Timetable
from sentinel.agent.tree import Tree
from sentinel.agent.view import Reload
from sentinel.agent.waits import Waits
from sentinel.config.config import Config
from sentinel.config.secrets import Secrets
from sentinel.core.clock import Clock, SystemClock
from sentinel.core.heartbeat import Heartbeat, Ping
from sentinel.core.notification import Settled, Settlement
from sentinel.core.problem import near
from sentinel.core.quantity import format_duration
from sentinel.core.sample import OWN_PROBE, Sample
from sentinel.core.schedule import Every
from sentinel.delivery.attempt import attempt
from sentinel.delivery.couriers import Couriers
from sentinel.delivery.parcel import Result
from sentinel.delivery.trial import send_test
from sentinel.delivery.words import Words
from sentinel.probes.probe import Probe
from sentinel.probes.run import Run
from sentinel.routing.telling import Telling
from sentinel.settings import Settings
from sentinel.store.database import Database, Transaction
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep

log = structlog.get_logger()
T = TypeVar("T")
S = TypeVar("S", bound=Settled)

#: Whoever stops the agent waits so long at most; orchestrators kill after 10 s.
STOP_WITHIN = timedelta(seconds=8)


class Agent:
    """One agent. `start` returns when the first probes look.

    Args:
        settings: from the environment.
        environ: what `${NAME}` stands for in YAML.
        clock: what time it is.
        redaction: learns what must not be shown.
    """

    def __init__(
        self,
        settings: Settings,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        redaction: Redaction | None = None,
    ) -> None:
        self.settings = settings
        self.clock = clock or SystemClock()
        self.started_at = self.clock.now()
        self.redaction = redaction or Redaction()
        self.redaction.renew(Secrets.of(settings.secrets))
        self.tree = Tree(settings, environ, self.clock, self._reloaded)
        self.reference = Reference(settings.reference, self.clock)
        self.timetable = Timetable(self.clock)
        self.pulse = Pulse(self.clock)
        self.blindness = Blindness()
        self.couriers = Couriers(self._deliver, self.clock)
        self.readers = ThreadPoolExecutor(2, thread_name_prefix="reader")
        self.remote = ThreadPoolExecutor(2, thread_name_prefix="remote")
        self.alarm = Alarm(lambda notifier, message: attempt(notifier, message, self.clock))
        self._tasks: set[asyncio.Task[None]] = set()
        self.outage = ""
        self.dead_letters: Mapping[str, int] = {}
        self._counted_at = self.started_at

    # -- start and stop --------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to look.

        Raises:
            StoreUnavailable: the database cannot be used.
            ConfigInvalid: the tree is bad, and nothing was ever good.
        """
        self._loop = asyncio.get_running_loop()
        self.database = Database.open(self.settings.database_url)
        try:
            with self.database.read() as tx:
                last_good, memory = tx.revisions.last_good(), tx.memory.all()
            config = self.tree.begin(last_good)
            self.redaction.renew(config.secrets)
            restored = restore(self.database, self.started_at, span(config.looking))
            self.history = History(self.database, restored.head)
            upkeep = Upkeep(
                self.database,
                self.history,
                self.settings.retention,
                most_bytes=self.settings.retention_size,
            )
            self.desk = Desk(
                self.database, self.history, upkeep, self.clock, config, self.readers, self._publish, self.remote
            )
        except BaseException:
            self.database.close()
            raise
        self.waits = Waits(self.desk.away_since)
        self.operators = Operators(self.desk, self.database, self.clock, self.read)
        self.view = view_of(self.desk, self.tree.reload, self.clock.now())
        around = Surroundings(self.clock, self.started_at, self.settings.warmup, self.reference, self._looked)
        self.lookouts = Lookouts(around, self.timetable, memory)
        self.desk.start()
        self.timetable.start()
        self.timetable.put("numbers", Every(EVERY), lambda _: self._spawn(self.count(), "numbers"), name=OWN_PROBE)
        self.lookouts.follow(config.probes, config.renamed.get("probes", {}))
        self._tell_outage()
        for damage in restored.damages:
            log.error("stored samples are damaged", what=str(damage))
        await self.couriers.start(config.notifiers, self._words())
        self._spawn(self.tree.follow(self._swap), "follow the tree")
        self._spawn(self.pulse.beat(self._jumped), "pulse")
        self._spawn(self.count(), "numbers")
        if self.settings.heartbeat_url is not None:
            self._spawn(self._give_signs(self.settings.heartbeat_url), "sign of life")

    async def stop(self) -> None:
        """End within seconds; what is not finished by then is as it would be after a crash: nothing is lost."""
        ends = self.clock.monotonic() + STOP_WITHIN.total_seconds()
        self.timetable.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(self.lookouts.stop(), *self._tasks, return_exceptions=True)
        await self.couriers.stop(timedelta(seconds=max(1.0, ends - self.clock.monotonic() - 3)))
        left = max(1.0, ends - self.clock.monotonic())
        if await asyncio.to_thread(self.desk.stop, left):
            for pool in (self.readers, self.remote):
                pool.shutdown(wait=False, cancel_futures=True)
            await asyncio.to_thread(self.database.close)
        log.info("stopped")

    # -- what the web asks -----------------------------------------------------------------------------------------

    async def ping(self, ping: Ping) -> Heartbeat:
        """Take a job's call; returns when it is on disk."""
        return await asyncio.wrap_future(self.desk.ping(replace(ping, body=self.redaction.text(ping.body))))

    async def retry(self, id_: str, author: str) -> Settled:
        """Owe a dead letter anew.

        Raises:
            LookupError: there is none of this id.
        """
        from sentinel.delivery.deadletters import retry

        return await self._write(lambda tx: retry(tx, id_, author, self.clock.now()))

    async def retry_all(self, notifier: str, author: str) -> Settled:
        """Owe each dead letter of a notifier anew; "" is all notifiers."""
        from sentinel.delivery.deadletters import retry_all

        return await self._write(lambda tx: retry_all(tx, notifier, author, self.clock.now()))

    async def drop(self, id_: str, author: str, reason: str) -> Settled:
        """Let a dead letter rest.

        Raises:
            LookupError: there is none of this id.
        """
        from sentinel.delivery.deadletters import drop

        return await self._write(lambda tx: drop(tx, id_, author, reason, self.clock.now()))

    async def prune_audit(self, through: int, author: str) -> int:
        """Remove the audit's rows up to a number; return how many they were.

        Raises:
            LookupError: there is no row of that number.
        """
        write = self.desk.write(lambda tx: tx.audit.prune(through, self.clock.now(), author))
        return await asyncio.wrap_future(write)

    async def notify_test(self, name: str) -> Result:
        """Send a test message at once, past the outbox.

        Raises:
            LookupError: there is no such notifier.
        """
        notifiers = self.view.config.notifiers
        if name not in notifiers:
            hint = near(name, set(notifiers), "notifiers")
            raise LookupError(f'there is no notifier "{name}"{"; " + hint if hint else ""}')
        return await send_test(notifiers[name], self._words(), self.clock)

    async def load(self) -> Reload:
        """Load the tree now, changed or not."""
        reload = await self.tree.look(self._swap, anyhow=True)
        await asyncio.wrap_future(self.desk.ask(self._publish))
        return reload

    async def read(self, ask: Callable[[], T]) -> T:
        """Run something that reads samples or the database, in a thread for that."""
        return await self._loop.run_in_executor(self.readers, ask)

    def numbers(self) -> list[Sample]:
        """Return what the agent counts of itself."""
        standing = Standing(
            self.view,
            self.started_at,
            self.lookouts.by_name,
            self.couriers.status(),
            self.reference.blind,
            self.dead_letters,
            self.tree.loaded_at,
            self.waits.of(self.view.config.rules),
            dict(self.desk.turns.slots.missed),
        )
        return [*numbers(standing, self.clock.now()), *numbers_of_samples(self.history.head)]

    @property
    def alive(self) -> bool:
        """Whether loop, scheduler and desk all did something lately."""
        last = min(self._counted_at, self.desk.decided_at)
        return self.pulse.steady and self.clock.now() - last < timedelta(minutes=1)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def count(self) -> None:
        """Append the agent's own numbers, and how each job stands."""
        self._counted_at = self.clock.now()
        self.dead_letters = await self.read(self._count_dead)
        if self.settings.reference:
            blind = await self.reference.is_blind()
            self.desk.ask(lambda: self.blindness.note(self.desk, self.clock.now(), blind=blind))
        if self.waits.due(self.clock.now()):
            await self.read(self._look_for_waits)
        if any(silence.ends_at <= self.clock.now() for silence in self.view.silences.values()):
            self._spawn(self.operators.expire(), "silences that are over")
        samples = self.numbers()

        def append() -> None:
            now = self.clock.now()
            if (self.view.unwritten_since is None) is not (self.desk.pen.unwritten_since is None):
                return  # what was counted is not true any more; it is counted anew at once
            for batch in (*self.desk.jobs.look(now), own_batch(samples, now)):
                self.desk.append(batch)

        self.desk.ask(append)
        await self._sound()

    async def _sound(self) -> None:
        """Tell from memory that the database takes nothing, and that it does again."""
        if self.view.unwritten_since is None:
            await self.alarm.end(self.view.config.notifiers, self._words(), self.clock.now())
            return
        call = await asyncio.wrap_future(self.desk.ask(lambda: call_for(self.desk, self.clock.now())))
        await self.alarm.tell(call, self.view.config.notifiers, self._words(), self.clock.now())

    async def _give_signs(self, url: SecretStr) -> None:
        """Call somebody each minute while all is well with us."""
        while True:
            if why := why_silent(self.view, self.couriers, alive=self.alive):
                log.warning("no sign of life is given", why=why)
            else:
                await call(url)
            await rest()

    def _look_for_waits(self) -> None:
        rules, now = self.view.config.rules.values(), self.clock.now()
        self.waits.look(rules, self.history.reader(), now, seeing=not self.reference.blind)

    def _count_dead(self) -> Mapping[str, int]:
        with self.database.read() as tx:
            return tx.notifications.counts(Settlement.DEAD)

    def _looked(self, probe: Probe, run: Run) -> None:
        """Take a run: its samples to the desk; what the probe remembers to the disk, if that changed."""
        lookout = self.lookouts.by_name.get(probe.name)
        if lookout is None or lookout.probe is not probe:
            return  # its definition changed while it looked
        hand_over(self.desk, lookout, run)
        self.lookouts.looked(probe, success=run.success)

    async def _swap(self, config: Config) -> None:
        """Let a configuration hold: first on the desk, in one transaction, then for probes and delivery."""
        self.redaction.renew(config.secrets)
        await asyncio.wrap_future(self.desk.adopt(config))
        self.lookouts.follow(config.probes, config.renamed.get("probes", {}))
        self.couriers.follow(config.notifiers, self._words())

    def _reloaded(self) -> None:
        """Show how an attempt to load the tree ended, and let the built-in rules judge it at once."""
        self.desk.ask(self._publish)
        self._spawn(self.count(), "numbers")

    async def _jumped(self) -> None:
        """Look on at once, whatever the clock says now; the desk compares the clocks itself, and is only woken."""
        self.timetable.begin_anew()
        self.desk.ask(self._publish)

    async def _write(self, work: Callable[[Transaction], S]) -> S:
        return await asyncio.wrap_future(self.desk.write(work, self.desk.settled))

    async def _deliver(self, work: Callable[[Transaction, Telling], S]) -> S:
        return await self._write(lambda tx: work(tx, self.desk.state.telling))

    def _publish(self) -> None:
        """Publish how everything stands, and let delivery look."""
        before, self.view = self.view, view_of(self.desk, self.tree.reload, self.clock.now())
        if (before.unwritten_since is None) is not (self.view.unwritten_since is None):
            self._loop.call_soon_threadsafe(lambda: self._spawn(self.count(), "numbers"))
        self._loop.call_soon_threadsafe(self.couriers.look, self.view.owed)

    def _words(self) -> Words:
        folders = [path / "templates" for path in self.settings.paths if (path / "templates").is_dir()]
        return Words(self.settings.name, folders)

    def _tell_outage(self) -> None:
        """Say how long nobody looked, and which runs of jobs fell due meanwhile and are not judged."""
        since, away = self.desk.away_since, self.started_at - self.desk.away_since
        if away <= timedelta(minutes=1):
            return
        lasted = timedelta(seconds=round(away.total_seconds()))
        runs = ", ".join(f"{job} at {due:%Y-%m-%d %H:%M} UTC" for job, due in self.desk.unjudged.items())
        log.warning("nobody looked", since=since.isoformat(), seconds=round(lasted.total_seconds()), not_judged=runs)
        self.outage = f"Nobody looked for {format_duration(lasted)}, since {since:%Y-%m-%d %H:%M} UTC."
        if runs:
            self.outage += f" Not judged, since nobody could hear of it: {runs}."

    def _spawn(self, work: Any, name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (exc := task.exception()):
            log.error("a task of the agent failed", task=task.get_name(), exc_info=exc)
