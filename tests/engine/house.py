"""A house in memory: manual clock, scripted observations, a disk that survives a crash, receivers that do as told.

What delivery does to a row (lease and seal, settle) is spelled here in the fewest words; which row is next is decided
by delivery's own `choose`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from sentinel.core.alert import Alert, Condition, Observed, Transition
from sentinel.core.clock import ManualClock, to_ms
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.notification import Attempt, Group, Notification, Reason, Settled, Settlement, Told
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.core.severity import Severity
from sentinel.delivery.order import choose
from sentinel.engine.decide import decide
from sentinel.engine.outcome import Outcome
from sentinel.engine.reload import reload
from sentinel.engine.state import State
from sentinel.promql.block import Block
from sentinel.routing import Match, Policy, Route
from sentinel.rules import FORMS, Rule, form_named, make_rule
from sentinel.rules.keys import RuleKeys

assert "expr" in FORMS

NOTHING: Mapping[str, str] = MappingProxyType({})
#: One letter a severity, as in the timelines: what is seen of an element.
LETTERS = {"w": Severity.WARNING, "e": Severity.ERROR, "c": Severity.CRITICAL}
LEASE = timedelta(seconds=60)


def make(name: str, query: str = "", **keys: object) -> Rule:
    """Make a rule that knows warning, error and critical; what it sees is scripted."""
    given = {"above": {"warning": "1", "error": "2", "critical": "3"}, "owner": "shop", **keys}
    return make_rule(
        name,
        "expr",
        form_named("expr").model_validate({"query": query or name.replace("-", "_")}),
        RuleKeys.model_validate(given),
    )


def route(name: str, notify: str, match: Mapping[str, str] = NOTHING, **more: object) -> Route:
    """Make a route; `notify` is a list parted by blanks."""
    return replace(Route(name, Match.of(match), tuple(notify.split())), **more)  # type: ignore[arg-type]


def policy(*routes: Route, notifiers: str = "", **more: object) -> Policy:
    """Make a policy; its notifiers are those of its routes, and more."""
    named = dict.fromkeys([*(name for one in routes for name in one.notify), *notifiers.split()])
    return replace(Policy(routes, tuple(named), editors=frozenset(named)), **more)  # type: ignore[arg-type]


#: The alert of rule `db` without labels, and a policy that tells slack of everything.
DB = fingerprint("db", Labels())
ALL = policy(route("all", "slack"))


def firing(level: Severity = Severity.WARNING, policy: Policy = ALL) -> House:
    """Return a house in which `db` fires and everybody has heard of it, long enough ago for the group's distance."""
    house = House(policy)
    house.see("db", level)
    house.wait(10)
    house.deliver()
    house.wait(minutes=2)
    return house


@dataclass(frozen=True, slots=True)
class Heard:
    """One message that a receiver took: why, at which severity each alert stood (None: over), since when it fired."""

    at: datetime
    notifier: str
    reason: Reason
    alerts: Mapping[str, Severity | None]
    lives: Mapping[str, str]
    group: str
    key: str

    def __str__(self) -> str:
        return f"{self.notifier} {self.reason}"


@dataclass
class Disk:
    """What was committed, and is there after a crash."""

    alerts: dict[str, Alert] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    rows: dict[str, Notification] = field(default_factory=dict)
    told: dict[tuple[str, str], Told] = field(default_factory=dict)
    silences: dict[str, Silence] = field(default_factory=dict)
    acknowledgements: dict[str, Acknowledgement] = field(default_factory=dict)
    audit: list[Transition] = field(default_factory=list)

    def write(self, outcome: Outcome) -> None:
        """Write an outcome, as the desk's ledger does."""
        self.alerts |= {alert.fingerprint: alert for alert in outcome.alerts}
        self.audit += outcome.transitions
        self.acknowledgements |= {ack.fingerprint: ack for ack in outcome.acknowledgements}
        for key in outcome.forgotten:
            self.alerts.pop(key, None)
            self.acknowledgements.pop(key, None)
            self.told = {pair: told for pair, told in self.told.items() if pair[1] != key}
        self.groups |= {group.key: group for group in outcome.groups}
        for key in outcome.removed_groups:
            self.groups.pop(key, None)
        self.rows |= {row.id: row for row in outcome.notifications}

    def load(self, now: datetime) -> State:
        """Return the state that an agent starts with."""
        return State.load(
            now,
            alerts=self.alerts.values(),
            groups=self.groups.values(),
            notifications=[row for row in self.rows.values() if row.settlement.open],
            told=[told for told in self.told.values() if told.severity is not None],
            silences=self.silences.values(),
            acknowledgements=self.acknowledgements.values(),
        )


class House:
    """Rules whose observations are scripted, a policy, and receivers.

    Attributes:
        heard: what receivers took, in order.
        failing: series whose probe has just failed, and what the probes say of that.
    """

    def __init__(self, policy: Policy, rules: Iterable[Rule] = (), clock: ManualClock | None = None) -> None:
        self.policy = policy
        self.rules = {rule.name: rule for rule in rules}
        self.clock = clock or ManualClock()
        self.disk = Disk()
        self.state = State()
        self.heard: list[Heard] = []
        self.seen: dict[str, dict[Labels, Severity | Condition | None]] = defaultdict(dict)
        self.failing: set[Labels] = set()
        self.values: dict[str, str] = {}
        self.reloads = 0

    @property
    def now(self) -> datetime:
        """The instant."""
        return self.clock.now()

    # -- what happens ----------------------------------------------------------------------------------------------

    def see(self, rule: str, level: Severity | Condition | None, value: str = "", **labels: str) -> Outcome:
        """Let the rule see an element at a severity (None: not the case; UNKNOWN: nobody knows), and decide at once."""
        if rule not in self.rules:
            self.rules[rule] = make(rule)
        self.seen[rule][Labels.of(labels)] = level
        self.values[rule] = value
        return self.decide(rule)

    def look(self, rule: str, *, fails: bool, **labels: str) -> Outcome:
        """Let the probe behind an element fail, or be well again; the rule does not see it as the case yet."""
        self.rules.setdefault(rule, make(rule))
        read = {Labels.of({"__name__": rule.replace("-", "_"), "probe": rule, **labels})}
        both = read | {Labels.of({"__name__": "probe_success", "probe": rule})}
        self.failing = self.failing | both if fails else self.failing - both
        return self.decide(rule)

    def decide(self, *names: str) -> Outcome:
        """Evaluate these rules and look at every timer that is due."""
        rules = [self.rules[name] for name in names if name in self.rules]
        observed = {rule.name: [self._observed(rule, labels) for labels in self.seen[rule.name]] for rule in rules}
        source = Block({labels: [(to_ms(self.now), 0.0)] for labels in self.failing})
        outcome = decide(rules, self.policy, self.state, source, self.now, observed)
        self.disk.write(outcome)
        self.state.apply(outcome)
        return outcome

    def wait(self, seconds: float = 0, *, minutes: float = 0, hours: float = 0) -> None:
        """Let time pass; timers act when they are due."""
        end = self.now + timedelta(seconds=seconds, minutes=minutes, hours=hours)
        if self.state.telling.unconfirmed:  # after a start: every rule is evaluated within 15 s
            self.clock.advance(min(timedelta(seconds=15), end - self.now))
            self.decide(*self.rules)
        while (due := self.state.next_at) is not None and due <= end:
            self.clock.advance(max(due - self.now, timedelta()))
            self.decide()
            if self.state.next_at is not None and self.state.next_at <= due:
                raise AssertionError(f"a timer is due again at once: {self.state.telling.timers.due(self.now)}")
        self.clock.advance(end - self.now)

    def crash(self, seconds: float = 1) -> None:
        """Die and start again after so long, with what is on the disk."""
        self.clock.advance(timedelta(seconds=seconds))
        self.disk.rows |= {
            row.id: replace(row, leased_until=self.now)
            for row in self.disk.rows.values()
            if row.settlement is Settlement.SENDING
        }
        self.state = self.disk.load(self.now)
        self._change(None, timedelta(seconds=seconds))

    def suspend(self, seconds: float) -> None:
        """Do nothing for so long, without a restart."""
        self.clock.advance(timedelta(seconds=seconds))
        self._change(self.policy, timedelta(seconds=seconds))
        self.state.distrust()

    def reload(self, policy: Policy | None = None, *, without: str = "") -> None:
        """Swap the policy, or remove a rule."""
        self.reloads += 1
        former = self.policy
        self.policy = policy or self.policy
        self.rules.pop(without, None)
        self._change(former, timedelta())

    def silence(self, match: Mapping[str, str], minutes: float) -> Silence:
        """Set a silence from now on."""
        silence = Silence(f"s{len(self.disk.silences)}", match, "ann", "deploy", self.now, self.later(minutes))
        self.disk.silences[silence.id] = silence
        self.state.silenced(silence)
        return silence

    def acknowledge(self, fingerprint: str, hours: float = 8) -> None:
        """Take an alert in hand."""
        alert = self.disk.alerts[fingerprint]
        assert alert.severity is not None
        ack = Acknowledgement(fingerprint, "ann", "on it", self.now, self.later(hours * 60), alert.severity)
        self.disk.acknowledgements[fingerprint] = ack
        self.state.acknowledged(ack)

    def later(self, minutes: float) -> datetime:
        """Return an instant."""
        return self.now + timedelta(minutes=minutes)

    # -- delivery --------------------------------------------------------------------------------------------------

    def lease(self, notifier: str) -> Notification | None:
        """Take the next row of a notifier and fix its words."""
        owed = [row for row in self.disk.rows.values() if row.notifier == notifier and row.settlement.open]
        due = [row for row in owed if _ready_at(row) <= self.now]
        tried = [row for row in owed if row.attempts or row.settlement is Settlement.SENDING]
        chosen = choose(sorted(due, key=lambda row: (row.created_at, row.id)), tried, self.now)
        if not chosen:
            return None
        row = chosen[0]
        content, key = row.content, row.key
        if not row.sealed:
            alerts = {fp: self.disk.alerts[fp] for fp in row.alerts if fp in self.disk.alerts}
            stands = {fp: [alert.severity, str(alert.fired_at)] for fp, alert in alerts.items()}
            if not stands:
                self._settled(replace(row, settlement=Settlement.WITHDRAWN, why="nothing is left to be told"))
                return None
            content, key = json.dumps(stands), f"{row.id}/{len(row.attempts)}"
        leased = replace(row, settlement=Settlement.SENDING, leased_until=self.now + LEASE, content=content, key=key)
        self._settled(leased)
        return leased

    def accept(self, leased: Notification) -> Heard:
        """Let the receiver take a leased row."""
        heard = self.hear(leased)
        told = [Told(leased.notifier, fp, leased.group, level, self.now) for fp, level in heard.alerts.items()]
        self._settled(replace(self._tried(leased, ""), settlement=Settlement.DELIVERED), *told)
        return heard

    def refuse(self, leased: Notification, *, sure: bool = True, after: float = 5) -> None:
        """Let the attempt fail: surely refused, or nobody knows."""
        row = replace(
            self._tried(leased, "500" if sure else "timeout"),
            settlement=Settlement.WAITING,
            next_at=self.now + timedelta(seconds=after),
        )
        self._settled(replace(row, key="", content="") if sure else row)

    def bury(self, leased: Notification) -> None:
        """Let the receiver refuse for good."""
        self._settled(replace(self._tried(leased, "410"), settlement=Settlement.DEAD, why="410"))

    def deliver(self, *notifiers: str) -> list[str]:
        """Let all (or these) receivers take what is due, until nothing is; return what they heard: "slack firing"."""
        before = len(self.heard)
        progress = True
        while progress:
            progress = False
            for notifier in notifiers or self.policy.notifiers:
                while (leased := self.lease(notifier)) is not None:
                    self.accept(leased)
                    progress = True
            if self.state.restless:
                self.decide()
                progress = True
        return [str(heard) for heard in self.heard[before:]]

    def owed(self) -> list[str]:
        """Return the open debts: "slack firing in 10"."""
        rows = sorted((row for row in self.disk.rows.values() if row.settlement.open), key=lambda row: row.id)
        return [f"{row.notifier} {row.reason} in {(row.due_at - self.now).total_seconds():.0f}" for row in rows]

    def hear(self, leased: Notification) -> Heard:
        """Let the receiver take the words, whether or not its answer is heard; one key is taken once."""
        content = json.loads(leased.content)
        stands = {fp: None if level is None else Severity(level) for fp, (level, _) in content.items()}
        lives = {fp: life for fp, (_, life) in content.items()}
        heard = Heard(self.now, leased.notifier, leased.reason, stands, lives, leased.group, leased.key)
        if not any(one.key == leased.key for one in self.heard):  # a receiver with an idempotency key
            self.heard.append(heard)
        return heard

    def _tried(self, leased: Notification, error: str) -> Notification:
        attempts = (*leased.attempts, Attempt(self.now, error))
        return replace(leased, tries=leased.tries + 1, attempts=attempts, leased_until=None)

    def _settled(self, row: Notification, *told: Told) -> None:
        self.disk.rows[row.id] = row
        self.disk.told |= {(one.notifier, one.fingerprint): one for one in told}
        self.state.settled(Settled((row,), told))

    def _change(self, former: Policy | None, away: timedelta) -> None:
        outcome = reload(self.rules.keys(), self.policy, self.state, self.now, former=former, away=away)
        self.disk.write(outcome)
        self.state.apply(outcome)

    def _observed(self, rule: Rule, labels: Labels) -> Observed:
        level = self.seen[rule.name][labels]
        if isinstance(level, Condition):
            return Observed(labels, None, dict.fromkeys(rule.thresholds, level), "probe shop fails")
        conditions = {
            one: Condition.HOLDS if level is not None and one <= level else Condition.OVER for one in rule.thresholds
        }
        texts = {"value": self.values.get(rule.name, "")}
        return Observed(labels, float(level or 0), conditions, "scripted", texts)


def _ready_at(row: Notification) -> datetime:
    if row.settlement is Settlement.SENDING:
        return row.leased_until or row.due_at
    return row.next_at or row.due_at
