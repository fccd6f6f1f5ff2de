"""What a storm costs: ten thousand alerts at once, and one decision among ten thousand alerts.

Figures to reach, in CPU time: a round of 10,000 alerts in 1.5 s, in one group, in a hundred, or each alone; one
decision under 1,000 routes, 1,000 silences, 100 inhibitions and 10,000 alerts in 1 ms at p99.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.cli.running import collect_seldom
from sentinel.core.alert import Condition, Observed
from sentinel.core.clock import ManualClock
from sentinel.core.labels import Labels
from sentinel.core.notification import Settled, Settlement, Told
from sentinel.core.operator import Silence
from sentinel.core.severity import Severity
from sentinel.engine.decide import decide
from sentinel.engine.outcome import Outcome
from sentinel.engine.state import State
from sentinel.promql.block import Block
from sentinel.routing import Inhibition, Match, Policy, Route
from sentinel.rules import Rule
from tests.engine.house import make, policy, route

pytestmark = pytest.mark.bench

ALERTS = 10_000
NOW = ManualClock().now()
SECOND = timedelta(seconds=1)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return what one call costs."""
    began = time.process_time()
    work()
    return time.process_time() - began


def seen(rule: Rule, labels: Iterable[Labels], level: Severity | None) -> list[Observed]:
    """Return what is observed when every element is at one severity."""
    conditions = {
        one: Condition.HOLDS if level is not None and one <= level else Condition.OVER for one in rule.thresholds
    }
    return [Observed(each, float(level or 0), conditions, "scripted") for each in labels]


@pytest.fixture(autouse=True)
def garbage() -> Iterator[None]:
    """Look for garbage as seldom as the agent does."""
    before = gc.get_threshold()
    collect_seldom()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


class Storm:
    """One rule with many elements, and what one round after the other costs."""

    def __init__(self, policy_: Policy, labels: list[Labels]) -> None:
        self.rule, self.policy, self.labels = make("storm"), policy_, labels
        self.state = State()
        self.now = NOW
        self.outcome = Outcome()

    def round(self, level: Severity | None) -> float:
        """Let every element be seen at this severity; return the CPU seconds of the decision and of taking it over."""
        observed = {"storm": seen(self.rule, self.labels, level)}
        self.now += SECOND

        def work() -> None:
            self.outcome = decide([self.rule], self.policy, self.state, Block({}), self.now, observed)
            self.state.apply(self.outcome)

        return cpu_seconds(work)

    def deliver(self) -> float:
        """Let every receiver take what is owed to it; return the CPU seconds of taking that over, round included."""
        self.now += timedelta(minutes=5)
        rows = list(self.state.telling.open.values())
        settled = [
            Settled(
                (replace(row, settlement=Settlement.DELIVERED),),
                tuple(
                    Told(row.notifier, one, row.group, alert.severity, self.now)
                    for one in row.alerts
                    if (alert := self.state.telling.alerts.get(one))
                ),
            )
            for row in rows
        ]

        def work() -> None:
            for one in settled:
                self.state.settled(one)
            self.outcome = decide([], self.policy, self.state, Block({}), self.now)
            self.state.apply(self.outcome)

        return cpu_seconds(work)


@pytest.mark.parametrize("groups", [1, 100, ALERTS])
def test_ten_thousand_alerts_at_once(groups: int) -> None:
    """They fire, are told, rise, end: each is one round, whatever they are grouped by."""
    labels = [Labels.of(host=f"h{number}", group=f"g{number % groups}") for number in range(ALERTS)]
    storm = Storm(policy(route("all", "slack mail", group_by=("group",))), labels)
    took = {"fire": storm.round(Severity.WARNING)}
    assert len(storm.outcome.notifications) == 2 * groups
    took["end untold"] = storm.round(None)
    assert not storm.state.telling.open
    storm.round(Severity.WARNING)
    took["told"] = storm.deliver()
    took["rise"] = storm.round(Severity.ERROR)
    assert len(storm.outcome.notifications) == 2 * groups
    storm.deliver()
    took["end"] = storm.round(None)
    assert len(storm.outcome.notifications) == 2 * groups
    storm.deliver()
    assert not storm.state.telling.groups
    print(f"\n{groups} groups:", ", ".join(f"{name} {seconds:.2f} s" for name, seconds in took.items()))
    assert max(took.values()) < 1.5


def crowded() -> Policy:
    """Return a policy of 1,000 routes and 100 inhibitions, in the forms in which people write them."""
    routes = [
        Route(
            f"r{number}",
            Match.of({"team": f"team-{number}", "severity": "warning+"}),
            ("slack",),
            continue_=number % 50 == 0,
        )
        for number in range(999)
    ]
    inhibitions = [
        Inhibition(
            f"i{number}",
            Match.of({"severity": "critical", "team": f"team-{number}"}),
            Match.of({"severity": ["warning", "error"], "team": f"team-{number}"}),
            ("host",),
        )
        for number in range(100)
    ]
    return policy(*routes, route("rest", "mail"), inhibitions=tuple(inhibitions))


def silences() -> dict[str, Silence]:
    """Return a thousand silences: for a host of a rule, for a team, for a family of rules."""
    forms = ({"rule": "storm", "host": "x{}"}, {"team": "no-team-{}"}, {"rule": "other-{}-*"}, {"host": ["a{}", "b{}"]})
    ends_at = NOW + timedelta(days=1)
    found = {}
    for number in range(1_000):
        match = {
            key: tuple(one.format(number) for one in value) if isinstance(value, list) else value.format(number)
            for key, value in forms[number % len(forms)].items()
        }
        found[f"s{number}"] = Silence(f"s{number}", match, "ann", "deploy", NOW, ends_at)
    return found


def test_one_decision_in_a_crowd() -> None:
    """One alert of 10,000 rises, under 1,000 routes, 1,000 silences, 100 inhibitions: the round that tells of it."""
    labels = [Labels.of(host=f"h{number // 2}", team=f"team-{number % 1_000}") for number in range(ALERTS)]
    storm = Storm(crowded(), labels)
    for silence in silences().values():
        storm.state.silenced(silence)
    print(f"\nall at once: {storm.round(Severity.WARNING):.2f} s")
    storm.deliver()
    took: list[float] = []
    for each in labels[:2_000]:
        storm.labels = [each]
        took.append(storm.round(Severity.ERROR if len(took) % 2 else Severity.CRITICAL))
    ms = sorted(1_000 * seconds for seconds in took)
    print(f"one: p50 {ms[len(ms) // 2]:.3f} / p99 {ms[int(0.99 * len(ms))]:.3f} / max {ms[-1]:.3f} ms")
    assert ms[int(0.99 * len(ms))] < 1
