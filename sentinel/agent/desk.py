"""The desk: the one thread that decides and writes. It owns the head, the state and the write connection.

         inbox                                                        one turn
    samples ─────┐   1. take all that waits; samples go into the head at once and make their rules due
    work ────────┼─► 2. works, and the samples not yet on disk: one commit; a work that fails, fails alone
    errands ─────┘   3. what was committed becomes true in memory, and whoever asked hears of it
                     4. one slice: rules that are due, timers that are due → decide → an Outcome
                        (a rule that looks back beyond the head is observed by a reader first)
                     5. the Outcome and its samples: one commit; only then the state takes it over
                     6. what changed is published; nothing to do: one small step of housekeeping

If a commit fails (disk full, file locked), nothing of it is true: samples stay in the head and evaluation goes on,
whoever waited hears that it failed, and decisions are taken again after a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from datetime import datetime, timedelta
from typing import TypeVar

import structlog

from sentinel.agent.inbox import Errand, Inbox, Work, answer_with
from sentinel.agent.jobs import Jobs
from sentinel.agent.leaps import JUMP, Leaps
from sentinel.agent.ledger import load_state, tell, write_outcome
from sentinel.agent.numbers import writing_again
from sentinel.agent.pen import RULE, Pen
from sentinel.agent.readings import Readings, source_of, span
from sentinel.agent.swap import Written, swap
from sentinel.agent.turning import Turning
from sentinel.agent.turns import Turns
from sentinel.agent.works import write_down
from sentinel.config.config import Config
from sentinel.core.clock import Clock
from sentinel.core.errors import StoreUnavailable
from sentinel.core.heartbeat import Heartbeat, Ping
from sentinel.core.labels import Labels
from sentinel.core.notification import Settled
from sentinel.core.sample import Batch
from sentinel.engine.agenda import Agenda
from sentinel.engine.decide import decide
from sentinel.engine.outcome import Outcome
from sentinel.engine.state import State
from sentinel.rules.rule import Rule
from sentinel.store.database import Database, Transaction
from sentinel.store.history import History
from sentinel.store.upkeep import Upkeep

log = structlog.get_logger()
T = TypeVar("T")

#: A slice of deciding lasts at least so long; whoever waits for an acknowledgement waits no longer for it.
SLICE_SECONDS = 0.010
#: Nothing to do: look again after so long.
IDLE_SECONDS = 5.0
#: A turn that found nothing to do is not followed by another one at once.
_BREATH_SECONDS = 0.005


class Desk:
    """Decides and writes; whatever other threads want of it goes through its inbox.

    Args:
        database: this thread is the only one that writes it.
        history: samples: the head, and what lies behind it.
        upkeep: keeps them in order when there is nothing else to do.
        clock: `now` decides, `monotonic` schedules.
        config: what holds at first.
        readers: observe what the head does not hold.
        published: called on this thread when something changed, at most once a turn.
        remote: wait for the servers of rules with a source of their own; None: the readers do.
    """

    def __init__(
        self,
        database: Database,
        history: History,
        upkeep: Upkeep,
        clock: Clock,
        config: Config,
        readers: Executor,
        published: Callable[[], None] = lambda: None,
        remote: Executor | None = None,
    ) -> None:
        self.config, self.history = config, history
        self.pen = Pen(database, history.head, clock)
        self.jobs = Jobs()
        self.readings = Readings(
            readers, history, self.ask, lambda rule: source_of(rule, self.config.probes, history), remote or readers
        )
        self.decided_at = clock.now()
        self._upkeep, self._clock, self._published = upkeep, clock, published
        self._inbox = Inbox()
        self._changed, self._unwritten = True, False
        self._shows_from = float("-inf")
        self._turning = Turning(self._inbox, self.turn, self._finish)
        with database.read() as tx:
            self.state: State = load_state(tx, clock.now())
            alive = tx.samples.last_alive()
        self.away_since = alive or clock.now()
        self.unjudged: Mapping[str, datetime] = {}
        self.leaps = Leaps(clock, upkeep)
        self._adopt(config, away_from=self.leaps.begin(self, alive))
        self.agenda = Agenda(config.rules.values(), self._series(), clock.now())
        self.turns = Turns(config.groups, readers, history, self.ask, clock.now())

    # -- asked by other threads ------------------------------------------------------------------------------------

    def arrive(self, batch: Batch) -> None:
        """Take in what a look brought; nobody waits for it."""
        self._inbox.put(batch)

    def write(self, do: Callable[[Transaction], T], then: Callable[[T], None] = lambda _: None) -> Future[T]:
        """Write something; the future is answered when it is committed and `then` has made it true in memory."""
        work = Work(do, then)
        self._inbox.put(work)
        return work.answer

    def ask(self, run: Callable[[], T]) -> Future[T]:
        """Run something that touches what only the desk owns."""
        errand = Errand(run)
        self._inbox.put(errand)
        return errand.answer

    def ping(self, ping: Ping) -> Future[Heartbeat]:
        """Take a job's call; answered when it is committed.

        Raises:
            NoSuchJob: the configuration has no heartbeat of this name.
        """
        return self.write(self.jobs.work(ping), self.jobs.took)

    def adopt(self, config: Config) -> Future[None]:
        """Swap the configuration: revision, audit row and the resolves of rules that are gone are one transaction."""
        return self.ask(lambda: self._reload(config))

    def settled(self, settled: Settled) -> None:
        """Take over what delivery leased or settled, after its commit; only on this thread."""
        self.state.settled(settled)

    def was_away(self, since: datetime) -> None:
        """Let the time since then count for nothing: nobody looked; only on this thread."""
        self._adopt(self.config, former=self.config, away_from=since)
        self.look_anew()

    def look_anew(self) -> None:
        """Let nothing count that was read, and no timer of an alert before its rule was evaluated again."""
        self.state.distrust()
        self.turns.begin_anew(self._clock.now())
        for name in self.readings.drop():
            self.agenda.back(name, self._clock.now())

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._turning.start()

    def stop(self, seconds: float) -> bool:
        """Empty the inbox, write what waits, and end; say whether that was done in time."""
        return self._turning.stop(seconds)

    # -- the thread ------------------------------------------------------------------------------------------------

    def _finish(self) -> None:
        self.turn()
        self._write_down(self._take())

    def turn(self) -> float:
        """Do one turn; return in how many seconds there will be something to do, if nothing arrives."""
        self.leaps.answer(self)
        began = self._clock.monotonic()
        self._unwritten = self._unwritten or self.pen.unwritten_since is not None
        works = self._take()
        riding = self.pen.due_at
        if works or (riding is not None and riding <= began):
            self._write_down(works)
        for batch in self.jobs.say(self._clock.now()):
            self.append(batch)
        took = self._clock.monotonic() - began
        decided = not self.pen.resting and self._decide(max(SLICE_SECONDS, took))
        self._publish()
        idle = not (works or decided or len(self._inbox) or self.pen.resting)
        return 0.0 if idle and self._tidy() else self._rest(decided)

    def _publish(self) -> None:
        """Publish what changed, for a twentieth of the time at most: in a storm what is to be shown is large."""
        began = self._clock.monotonic()
        if self._changed and began >= self._shows_from:
            self._changed = False
            self._published()
            ended = self._clock.monotonic()
            self._shows_from = ended + 19 * (ended - began)

    def _take(self) -> list[Work]:
        """Empty the inbox: samples go into the head at once, errands are run, works are returned.

        A look that began under the name of before is dropped: the probe looks again at once.
        """
        works = []
        for item in self._inbox.take():
            match item:
                case Batch() if item.source in self.config.renamed.get("probes", ()):
                    continue
                case Batch() if item.at - self._clock.now() <= JUMP:  # else it looked before the clock was set back
                    try:
                        self.append(item)
                    except Exception:  # one look that cannot be stored must not take the others with it
                        log.exception("samples could not be taken in", source=item.source)
                case Errand() if item.answer.set_running_or_notify_cancel():
                    answer_with(item.answer, item.run)
                case Work() if item.answer.set_running_or_notify_cancel():
                    works.append(item)
        return works

    def append(self, batch: Batch) -> None:
        """Take samples into the head, and make the rules due that read them; only on this thread."""
        appended = self.history.head.append(batch)
        for why, count in appended.refused.items():
            if self.history.head.refused[batch.source, why] == count:  # for the first time: what goes on is a number
                log.warning("samples were refused", source=batch.source, why=why, samples=count)
        if appended.new:
            self.agenda.appeared([(id_, self.history.head.labels_of(id_)) for id_ in appended.new])
        self.agenda.touched(appended.ids, self._clock.now())
        self.pen.carry()

    def _write_down(self, works: list[Work]) -> None:
        self._changed |= write_down(self.pen, works)

    def _decide(self, seconds: float) -> bool:
        """Decide for one slice, write it, and say whether there was anything to decide."""
        now, ends = self._clock.now(), self._clock.monotonic() + seconds
        due = self._writable(self.agenda.due(now), now)
        self.decided_at = now
        turns = self.turns.begin(self.state, now)
        if not due and not turns and self.state.telling.quiet(now):
            return False
        policy = self.config.policy
        near = [rule for rule in due if not self._read(rule, now)]
        took: dict[str, timedelta] = {}
        outcome = decide(
            self._within(near, ends, took), policy, self.state, self.history, now, self.readings.found, turns
        )
        for batch in outcome.recorded:
            self.append(batch)
        revision = self.config.revision.id
        if not outcome.empty and self.pen.commit(lambda tx: write_outcome(tx, outcome, revision)) is not None:
            self._changed = True
            return False
        failing = set(self.state.failures)
        self._take_over(outcome)
        self.turns.decided(turns)
        self.agenda.evaluated((*outcome.evaluated, *outcome.failures), self.state.alerts, now, took)
        for name in (*outcome.evaluated, *outcome.failures):
            self.readings.decided(name)
        for rule in outcome.failures.keys() - failing:
            log.error("a rule cannot be evaluated", rule=rule, why=outcome.failures[rule])
        return bool(outcome.evaluated or outcome.failures or not outcome.empty)

    def _writable(self, due: list[Rule], now: datetime) -> list[Rule]:
        """Leave out the rule about the database while nothing can be written: the alarm tells that, from memory."""
        before, self._unwritten = self._unwritten, self.pen.unwritten_since is not None
        if not (before or self._unwritten):
            return due
        if not self._unwritten:
            self.append(writing_again(now + timedelta(milliseconds=1)))  # after whatever was counted just now
            self._changed = True
        self.agenda.evaluated([RULE], self.state.alerts, now)
        return [rule for rule in due if rule.name != RULE]

    def _read(self, rule: Rule, now: datetime) -> bool:
        """Let a reader observe a rule that needs one; it is due again when that is done."""
        if not self.readings.needed(rule, now):
            return False
        self.agenda.away(rule.name)
        alerts = self.state.alerts.of(rule.name)
        self.readings.begin(rule, alerts, now, lambda: self.agenda.back(rule.name, self._clock.now()))
        return True

    def _within(self, due: list[Rule], ends: float, took: dict[str, timedelta]) -> Iterator[Rule]:
        """Yield what is due, at least one rule, until the slice is over; the rest stays due for the next one."""
        ended = self._clock.monotonic()
        for rule in due:
            yield rule
            began, ended = ended, self._clock.monotonic()
            took[rule.name] = timedelta(seconds=ended - began)
            if ended >= ends:
                return

    def _take_over(self, outcome: Outcome) -> None:
        """Let what was committed be true."""
        before = self.state.evaluated
        self.state.apply(outcome)
        news = not outcome.empty or bool(outcome.failures) or self.state.evaluated is not before
        self._changed = self._changed or news
        tell(outcome.transitions)

    # -- configuration and outages ---------------------------------------------------------------------------------

    def _reload(self, config: Config) -> None:
        moved = self._adopt(config, former=self.config)
        self.agenda.reload(config.rules.values(), self._series(), self._clock.now())
        self.readings.follow(config.rules)
        self.history.head.keep(span(config.looking))
        for batch in self.turns.reload(config.groups, self._clock.now()):
            self.append(batch)
        if moved:  # what is being read has the labels of before
            self.look_anew()

    def _series(self) -> Iterator[tuple[int, Labels]]:
        ids, labels = self.history.head.series(())
        return zip(ids.tolist(), labels, strict=True)

    def _adopt(self, config: Config, *, former: Config | None = None, away_from: datetime | None = None) -> bool:
        """Let a configuration hold from now on, all of what that changes in one transaction.

        Not a work among others: it is decided from what is in memory, so nothing may be half written beside it.

        Returns:
            Whether samples stand under other labels than before.
        """
        change = swap(config, self.state, self._clock.now(), former.policy if former else None, away_from)
        written: list[Written] = []
        why = self.pen.commit(lambda tx: written.append(change.write(tx, self.jobs, self.history.head)))
        if why is not None:
            raise why
        sources, series = written[0].sources, written[0].series
        if sources or series:
            self.history.rename(sources, series)
        self.config, self.state = config, change.state
        self.state.follow({rule.name for rule in config.looking})
        self.jobs.follow(config.probes, written[0].heartbeats)
        self.unjudged = written[0].unjudged
        self._take_over(change.outcome)
        self._changed = True
        return bool(series)

    def _tidy(self) -> bool:
        """Do one small step of housekeeping, and say whether there is more; the inbox comes first."""
        known = len(self._upkeep.damages)
        try:
            return self._upkeep.step(self._clock.now())
        except StoreUnavailable as exc:
            log.warning("housekeeping waits for the database", why=str(exc))
            return False
        finally:
            for damage in self._upkeep.damages[known:]:
                log.error("stored samples are damaged", what=str(damage))
            if gone := self._upkeep.forgotten:
                self.agenda.vanished(gone)
                gone.clear()

    def _rest(self, decided: bool) -> float:
        """Return the seconds until something is due; never quite nothing after a slice that found nothing to do."""
        now, monotonic = self._clock.now(), self._clock.monotonic()
        if len(self._inbox):
            return 0.0
        waits = [IDLE_SECONDS]
        if (riding := self.pen.due_at) is not None:
            waits.append(riding - monotonic)
        planned = (at for at in (self.agenda.next_at, self.turns.next_at, self.state.next_at) if at is not None)
        waits += ((at - now).total_seconds() for at in planned)
        if self.state.restless:
            waits.append(0.0)
        if self.jobs.unsaid:
            waits.append(0.001)
        if self._changed:
            waits.append(self._shows_from - monotonic)
        return max(min(waits), self.pen.rests_until - monotonic, 0.0 if decided else _BREATH_SECONDS)
