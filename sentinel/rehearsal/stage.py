"""The stage: rules, policy and a clock that is pushed; events go in, and what the house decides and tells comes out.

            events ──► head, jobs, state ──► due: rules (agenda), groups (slots), timers ──► decide ──► state ──► post
                                                        ▲                                                          │
                                                        └──────────── what was told may cause more ◄───────────────┘

Everything is what runs live, but: groups have their slots from the beginning on, whatever their names, and are
evaluated one after the other; what is decided is true at once, since nothing is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from sentinel.config.cases import LONGEST
from sentinel.core.alert import Condition, Observed, Transition
from sentinel.core.clock import ManualClock
from sentinel.core.heartbeat import Heartbeat, Ping
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.core.sample import Batch, Sample
from sentinel.delivery.words import Words
from sentinel.engine.agenda import Agenda
from sentinel.engine.decide import decide
from sentinel.engine.state import State
from sentinel.engine.turn import Turn, series_of, take_turn
from sentinel.notifiers.notifier import Notifier
from sentinel.probes.heartbeat import HeartbeatKind, heartbeat_batch
from sentinel.probes.job import loaded, pinged
from sentinel.probes.probe import Probe
from sentinel.rehearsal.event import Event, Said, TakenInHand
from sentinel.rehearsal.post import Heard, Post
from sentinel.routing.route import Policy
from sentinel.rules import words
from sentinel.rules.grouped import RuleGroup
from sentinel.rules.rule import Rule
from sentinel.store.head import Head

#: Jobs, and the agent's own numbers, are looked at so often.
_EVERY = timedelta(seconds=15)
_NEVER = datetime.max.replace(tzinfo=UTC)
#: At one instant no more rounds are decided; a house that wants more does not come to rest.
_MOST_ROUNDS = 1000


@dataclass(frozen=True, slots=True)
class Cast:
    """Who plays: what a configuration has, or the part of it that matters.

    Args:
        rules: those of groups aside.
        groups: of Prometheus rule files.
        policy: who is told.
        notifiers: by name.
        jobs: heartbeats that are looked at.
        agent: name of the agent that speaks.
    """

    rules: Sequence[Rule] = ()
    groups: Sequence[RuleGroup] = ()
    policy: Policy = field(default_factory=Policy)
    notifiers: Mapping[str, Notifier] = field(default_factory=dict)
    jobs: Mapping[str, Probe] = field(default_factory=dict)
    agent: str = "test"


class Stage:
    """Plays a script.

    Args:
        cast: who plays.
        start: when it begins.
        script: what happens, in the order of time.

    Attributes:
        transitions: of alerts, in order.
        failures: rule to why it could not be evaluated, the first time.
    """

    def __init__(self, cast: Cast, start: datetime, script: Iterable[Event]) -> None:
        self.cast, self.start = cast, start
        self.clock, self.head, self.state = ManualClock(start), Head(LONGEST, durable=False), State()
        self.rules = {rule.name: replace(rule, source="") for rule in cast.rules}
        self.transitions: list[Transition] = []
        self.failures: dict[str, str] = {}
        self._agenda = Agenda(self.rules.values(), (), start)
        self._post = Post(cast.notifiers, Words(cast.agent), self.state)
        self._script = iter(script)
        self._next = next(self._script, None)
        self._slots = {group.key: start for group in cast.groups}
        self._written: dict[str, frozenset[Labels]] = {}
        self._jobs: dict[str, Heartbeat] = {
            name: loaded(None, name, probe.kind.timing, start)
            for name, probe in cast.jobs.items()
            if isinstance(probe.kind, HeartbeatKind)
        }
        self._watched = any(rule.compiled.absence for rule in self.rules.values())  # nobody else asks
        self._looks_at: datetime | None = start if self._jobs or self._watched else None
        self._said: dict[str, dict[Labels, Said]] = {}

    @property
    def now(self) -> datetime:
        """The instant."""
        return self.clock.now()

    @property
    def heard(self) -> Sequence[Heard]:
        """Every message that was told, in order."""
        return self._post.heard

    def play(self, until: datetime) -> None:
        """Let everything happen up to an instant, that included."""
        while (at := self._moment()) <= until:
            self.clock.advance(max(at - self.now, timedelta()))
            self._happen()
            self._settle()
        self.clock.advance(max(until - self.now, timedelta()))

    def _moment(self) -> datetime:
        """Return when something is due next."""
        planned = (
            self._next.at if self._next else None,
            self._agenda.next_at,
            self.state.next_at,
            self._post.next_at,
            min(self._slots.values(), default=None),
            self._looks_at,
        )
        return min((at for at in planned if at is not None), default=_NEVER)

    # -- what happens ----------------------------------------------------------------------------------------------

    def _happen(self) -> None:
        """Take in what happens at this instant: calls of jobs and looks at them are one."""
        now, called = self.now, set()
        while self._next is not None and self._next.at <= now:
            match self._next.what:
                case Batch() as batch:
                    self._append(batch)
                case Ping() as ping:
                    self._ping(ping)
                    called.add(ping.name)
                case Silence() as silence:
                    self.state.silenced(silence)
                case TakenInHand() as taken:
                    self._take_in_hand(taken)
                case Said() as said:
                    self._said.setdefault(said.rule, {})[said.labels] = said
                    if said.rule in self.rules:
                        self._agenda.back(said.rule, now)
            self._next = next(self._script, None)
        if self._looks_at is not None and self._looks_at <= now:
            self._looks_at += _EVERY
            called = set(self._jobs)
            if self._watched:
                own = Sample("sentinel_blind", 0.0, {"probe": "sentinel"})
                self._append(Batch("sentinel", (own,), now, _EVERY, whole=False))
        for name in sorted(called & self._jobs.keys()):
            self._append(heartbeat_batch(self.cast.jobs[name], self._jobs[name], now))

    def _append(self, batch: Batch) -> None:
        appended = self.head.append(batch)
        if appended.new:
            self._agenda.appeared([(id_, self.head.labels_of(id_)) for id_ in appended.new])
        self._agenda.touched(appended.ids, self.now)

    def _ping(self, ping: Ping) -> None:
        kind = self.cast.jobs[ping.name].kind
        assert isinstance(kind, HeartbeatKind)
        self._jobs[ping.name] = pinged(self._jobs[ping.name], ping, kind.timing, kind.metrics)

    def _take_in_hand(self, taken: TakenInHand) -> None:
        for alert in (alert for rule in taken.rules for alert in self.state.alerts.of(rule).values()):
            if alert.severity is not None and set(taken.labels) <= set(alert.labels):
                ends = self.now + taken.lasts
                why = "taken in hand by the test"
                self.state.acknowledged(
                    Acknowledgement(alert.fingerprint, "the test", why, self.now, ends, alert.severity)
                )

    # -- what is decided -------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Decide and deliver until nothing is due at this instant."""
        now = self.now
        for _ in range(_MOST_ROUNDS):
            turns, due = list(self._turns(now)), self._agenda.due(now)
            timer = self.state.next_at
            if turns or due or self.state.restless or (timer is not None and timer <= now):
                self._decide(due, turns)
            elif not self._post.deliver(now):
                return
        raise AssertionError("the house does not come to rest")

    def _decide(self, due: Sequence[Rule], turns: Sequence[Turn]) -> None:
        now = self.now
        observed = {rule.name: self._observed(rule) for rule in due if rule.name in self._said}
        outcome = decide(due, self.cast.policy, self.state, self.head, now, observed, turns)
        self.state.apply(outcome)
        self._agenda.evaluated((*outcome.evaluated, *outcome.failures), self.state.alerts, now)
        self.transitions += outcome.transitions
        for rule, why in outcome.failures.items():
            self.failures.setdefault(rule, why)

    def _turns(self, now: datetime) -> Iterator[Turn]:
        """Evaluate the groups whose slot has come; each sees what those before it wrote."""
        for group in self.cast.groups:
            if self._slots[group.key] > now:
                continue
            self._slots[group.key] += group.interval
            alerts = {rule.name: self.state.alerts.of(rule.name) for rule in group.rules}
            written = {rule.name: self._written.get(rule.name, frozenset()) for rule in group.rules}
            turn = take_turn(group, now, alerts, written, self.head)
            for rule, batch in turn.batches.items():
                self._written[rule] = frozenset(map(series_of, batch.samples))
                self._append(batch)
            yield turn

    def _observed(self, rule: Rule) -> list[Observed]:
        """Return what the script says that a rule sees."""
        return [self._seen(rule, said) for said in self._said[rule.name].values()]

    def _seen(self, rule: Rule, said: Said) -> Observed:
        highest = said.severity or max(rule.thresholds)
        conditions = {
            level: Condition.HOLDS if said.holds and level <= highest else Condition.OVER for level in rule.thresholds
        }
        threshold = rule.thresholds[words.judged_severity(rule, conditions)]
        limit = threshold.above or threshold.below
        number = limit.value if limit else 1.0
        alert = self.state.alerts.get(fingerprint(rule.name, said.labels))
        since = alert.since if alert and alert.since else self.now
        why = "the script says so"
        texts = words.texts(rule, said.labels, number, words.judged_severity(rule, conditions), why, since)
        limits = {level: str(one) for level, one in rule.thresholds.items()}
        return Observed(said.labels, number, conditions, why, texts, limits)
