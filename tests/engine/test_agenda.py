"""Due when: evaluation on arrival, kept apart, and at the latest."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

import numpy as np
import pytest

from sentinel.core.alert import Alert, Patience, Phase, Standing
from sentinel.core.clock import ManualClock
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.engine.agenda import Agenda, latest, spacing
from sentinel.routing.telling import Alerts
from tests.engine.house import make
from tests.rules.making import rule

NOW = ManualClock().now()
SERIES = [
    (0, Labels.of(__name__="queue_depth", host="a")),
    (1, Labels.of(__name__="queue_depth", host="b")),
    (2, Labels.of(__name__="up", job="shop")),
]
QUEUE = make("queue", "queue_depth")
ON_A = make("on-a", 'max by (host) (queue_depth{host="a"})')
SHOP = make("shop", 'rate({__name__=~"u.", job="shop"}[1h]) + rate(other_total[1h])')


def seconds(count: float) -> datetime:
    """Return an instant."""
    return NOW + timedelta(seconds=count)


def agenda() -> Agenda:
    """Three rules that were evaluated at the start."""
    made = Agenda([QUEUE, ON_A, SHOP], SERIES, NOW)
    made.evaluated(["queue", "on-a", "shop"], Alerts(), NOW)
    return made


def due(agenda: Agenda, now: datetime) -> list[str]:
    """Return the names of what is due."""
    return [rule.name for rule in agenda.due(now)]


@pytest.mark.parametrize(
    ("ids", "expected"),
    [([0], {"queue", "on-a"}), ([1], {"queue"}), ([2], {"shop"}), ([0, 1, 2], {"queue", "on-a", "shop"}), ([9], set())],
)
def test_an_arrival_makes_due_what_reads_its_series(ids: list[int], expected: set[str]) -> None:
    """By series, not by the metric's name."""
    made = agenda()
    made.touched(np.array(ids), seconds(10))
    assert set(due(made, seconds(10))) == expected


def test_a_series_that_appears_later_is_read_too() -> None:
    """It is matched once, when it appears."""
    made = agenda()
    made.appeared([(5000, Labels.of(__name__="other_total"))])
    made.touched(np.array([5000]), seconds(10))
    assert due(made, seconds(10)) == ["shop"]


def test_further_arrivals_wait_for_the_spacing() -> None:
    """'further arrivals within its spacing make it due at the spacing's end'; one may come early."""
    made = agenda()
    assert spacing(SHOP) == timedelta(seconds=6)
    made.touched(np.array([2]), seconds(2))
    assert due(made, seconds(2)) == ["shop"]
    made.evaluated(["shop"], Alerts(), seconds(2))
    made.touched(np.array([2]), seconds(3))
    assert made.next_at == seconds(6)
    assert due(made, seconds(5.9)) == []
    assert due(made, seconds(6)) == ["shop"]


def test_a_storm_of_arrivals_is_evaluated_at_the_pace() -> None:
    """Ten looks a second are evaluated once a second."""
    made, evaluated = Agenda([QUEUE], SERIES, NOW), 0
    for tenth in range(1, 301):
        made.touched(np.array([0]), seconds(tenth / 10))
        if due(made, seconds(tenth / 10)):
            evaluated += 1
            made.evaluated(["queue"], Alerts(), seconds(tenth / 10))
    assert 30 <= evaluated <= 32


def test_looks_at_the_pace_itself_never_wait_for_the_phase_of_an_earlier_evaluation() -> None:
    """A look a second, a spacing of a second, and an evaluation that once came in between: the next look is judged."""
    made = Agenda([QUEUE], SERIES, NOW)
    made.evaluated(["queue"], Alerts(), seconds(0.85))
    for second in range(1, 60):
        arrives = seconds(second + 0.003 * (second % 2))
        made.touched(np.array([0]), arrives)
        assert due(made, arrives) == ["queue"]
        made.evaluated(["queue"], Alerts(), arrives)


def test_without_arrivals_a_rule_is_due_at_the_latest() -> None:
    """'at the latest it is due every `max(15s, spacing)`'."""
    made = agenda()
    assert made.next_at == seconds(15)
    assert latest(make("week", "increase(x_total[7d])")) == timedelta(seconds=1008)


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("queue_depth > 2 * queue_depth offset 1w", 1),
        ("increase(x_total[5m]) > 3 * increase(x_total[5m] offset 1w)", 30),
        ("increase(x_total[7d]) / increase(y_total[7d])", 1008),
    ],
)
def test_what_looks_at_the_present_too_does_not_wait_for_its_longest_window(query: str, seconds: int) -> None:
    """'So detection waits for the probe and not for a second timer'."""
    assert spacing(make("watched", query)) == timedelta(seconds=seconds)


def test_the_fast_pair_of_a_burn_rate_does_not_wait_for_the_windows_of_days() -> None:
    entry = {"burn_rate": {"errors": "bad_total", "total": "all_total", "objective": "99.9%"}}
    assert spacing(rule(entry)) == timedelta(seconds=30)


def test_what_is_due_stays_due_until_it_was_evaluated() -> None:
    """A commit that failed loses no evaluation."""
    made = agenda()
    assert len(due(made, seconds(15))) == 3
    assert len(due(made, seconds(15))) == 3
    made.evaluated(["queue", "on-a", "shop"], Alerts(), seconds(15))
    assert due(made, seconds(15)) == []


def test_at_a_start_no_rule_is_due_before_fresh_data() -> None:
    """'each rule is evaluated on fresh data first'."""
    made = Agenda([QUEUE], SERIES, NOW)
    assert due(made, seconds(14)) == []
    made.touched(np.array([1]), seconds(14))
    assert due(made, seconds(14)) == ["queue"]


def test_a_rule_that_is_dear_rests_for_nine_times_what_it_took() -> None:
    """Ten thousand alerts take a second to judge: arrivals each second must not keep the desk from all else."""
    made = agenda()
    made.evaluated(["queue"], Alerts(), seconds(2), {"queue": timedelta(seconds=1)})
    made.touched(np.array([1]), seconds(3))
    assert due(made, seconds(9.9)) == []
    assert due(made, seconds(10)) == ["queue"]
    made.evaluated(["queue"], Alerts(), seconds(20), {"queue": timedelta(minutes=1)})
    made.touched(np.array([1]), seconds(21))
    assert "queue" in due(made, seconds(35)), "at the latest after what it would wait for nothing"


def test_the_end_of_a_for_makes_its_rule_due_whatever_its_spacing() -> None:
    """Timers are columns, never sleeping tasks."""
    rule = make("shop", "increase(x_total[7d])", **{"for": "20s"})
    alerts = Alerts()
    alerts.put(Alert("shop", Labels(), {Severity.WARNING: Standing(Phase.PENDING, NOW)}))
    made = Agenda([rule], [], NOW)
    made.evaluated(["shop"], alerts, NOW)
    assert rule.patience[Severity.WARNING] == Patience(timedelta(seconds=20), scarce_for=timedelta(days=7))
    assert made.next_at == seconds(20)


def test_a_reload_keeps_the_plan_of_what_did_not_change() -> None:
    """New and edited rules are due now, removed ones never."""
    made = agenda()
    made.reload([QUEUE, make("on-a", "queue_depth")], SERIES, seconds(3))
    assert due(made, seconds(3)) == ["on-a"]
    assert set(due(made, seconds(15))) == {"on-a", "queue"}


def test_a_clock_set_back_stops_nothing() -> None:
    """What was planned by the old time is due at once."""
    made = agenda()
    made.due(seconds(1))
    assert len(due(made, seconds(-3600))) == 3


@pytest.mark.bench
def test_bench_arrivals() -> None:
    """The agenda's part of the desk's time: 100 probes and rules, and 8,000 series of one scrape."""
    rules = [make(f"r{at}", f'probe_success{{probe="p{at}"}}') for at in range(100)]
    series = [(at, Labels.of(__name__="probe_success", probe=f"p{at}")) for at in range(100)]
    wide = [(1000 + at, Labels.of(__name__="wide", shard=str(at))) for at in range(8000)]
    began = time.perf_counter()
    made = Agenda([*rules, make("wide", "sum(wide)")], [*series, *wide], NOW)
    built = time.perf_counter() - began
    began = time.perf_counter()
    for turn in range(1200):  # a minute of 20 looks a second
        now = seconds(turn / 20)
        made.touched(np.array([turn % 100]), now)
        made.evaluated([rule.name for rule in made.due(now)], Alerts(), now)
    minute = time.perf_counter() - began
    began = time.perf_counter()
    for _ in range(100):
        made.touched(np.arange(1000, 9000), NOW)
    scrape = (time.perf_counter() - began) / 100
    figures = f"built {built * 1e3:.1f} ms; 1,200 looks {minute * 1e3:.1f} ms; 8,000 series {scrape * 1e6:.0f} us"
    print(figures)  # noqa: T201 # what the bench is for
    assert minute < 1
    assert scrape < 0.005
