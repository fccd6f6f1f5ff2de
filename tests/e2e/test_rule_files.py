"""Prometheus rule files in the whole house: config, store, desk, delivery."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sentinel.core.clock import to_ms
from sentinel.promql import parse
from sentinel.promql.evaluate import evaluate_instant
from tests.e2e.fast import FastAgent

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
REST = """
probes:
  shop: {scrape: http://127.0.0.1:8000/metrics, every: 15s}
notifiers:
  all: {console: {}}
"""
GROUPS = """
groups:
  - name: queues
    interval: 30s
    rules:
      - record: shop:depth:max
        expr: max by (instance) (depth)
      - alert: QueueLong
        expr: shop:depth:max > 100
        for: 2m
        keep_firing_for: 1m
        labels: {severity: page, on: "{{ $labels.instance }}"}
        annotations:
          message: "{{ $labels.instance }} holds {{ $value | humanize }} of ${HOME}"
"""


def agent(folder: Path, groups: str = GROUPS, depth: float = 500) -> FastAgent:
    """Start an agent whose shop always shows this depth."""
    one = FastAgent(folder)
    one.write(REST + groups)
    one.looks["shop"] = lambda now: {"depth": depth}
    return one.start()


def found(one: FastAgent, query: str) -> dict[str, float]:
    """Ask the agent's history."""
    answer = evaluate_instant(parse(query), one.history, to_ms(one.clock.now()))
    return {str(labels): value for labels, value in answer.latest()}


def test_an_alert_of_a_rule_file_is_told_and_resolves(tmp_path: Path) -> None:
    """It is recorded, waits for its `for`, is told with its annotation filled in, and its end is told too."""
    one = agent(tmp_path).run(5 * MINUTE)
    [message] = one.heard
    [alert] = message.facts.news
    assert one.told() == ["firing critical QueueLong"]
    assert alert.summary == "shop:8000 holds 500 of ${HOME}"
    assert found(one, "ALERTS") == {
        'ALERTS{alertname="QueueLong", alertstate="firing", instance="shop:8000", on="shop:8000", severity="page"}': 1.0
    }
    one.looks["shop"] = lambda now: {"depth": 5}
    one.run(4 * MINUTE)
    assert one.told()[-1] == "resolved critical QueueLong"
    assert found(one, "ALERTS") == {}
    assert one.changes("QueueLong") == [
        "pending", "fired critical", "recovering critical", "resolved critical",
    ]  # fmt: skip


def test_no_data_resolves(tmp_path: Path) -> None:
    """What is not there is not the case, though the probe fails: that is what the file means in Prometheus."""
    one = agent(tmp_path, GROUPS.replace("for: 2m", "for: 30s")).run(3 * MINUTE)
    one.looks["shop"] = lambda now: None
    one.run(12 * MINUTE)
    assert [line for line in one.told() if "updated" not in line] == [
        "firing critical QueueLong",
        "resolved critical QueueLong",
    ]


def test_a_restart_and_a_reload_keep_what_stands(tmp_path: Path) -> None:
    """An edited expression, another place in the file, a new twin: one alert goes on, and nobody hears anything."""
    one = agent(tmp_path).run(5 * MINUTE)
    one.restart(3 * MINUTE).run(2 * MINUTE)
    twin = GROUPS.replace("> 100", "> 90") + GROUPS.split("rules:")[1].replace("page", "ticket").replace(
        "shop:depth:max\n", "shop:depth:max2\n"
    )
    one.write(REST + twin)
    one.reload()
    one.run(MINUTE)
    assert one.told() == ["firing critical QueueLong"]
    assert 'QueueLong{on="{{ $labels.instance }}", severity="page"}' in {alert.rule for alert in one.desk.state.alerts}
    one.run(2 * MINUTE)
    assert len(one.heard) == 2


def test_the_series_of_a_rule_that_is_gone_end(tmp_path: Path) -> None:
    """They do not linger for five minutes; its alert resolves."""
    one = agent(tmp_path).run(5 * MINUTE)
    one.write(REST)
    one.reload()
    one.run(SECOND)
    assert found(one, '{__name__=~"shop:.*|ALERTS.*"}') == {}
    assert one.told()[1:] == ["resolved critical QueueLong"]


def test_what_was_decided_and_recorded_is_on_disk_together(tmp_path: Path) -> None:
    """After a crash the series of the last slot are there, and `for` goes on."""
    one = agent(tmp_path).run(90 * SECOND)
    before = found(one, "shop:depth:max")
    one.restart()
    assert found(one, "shop:depth:max") == before
    one.run(2 * MINUTE)
    assert one.told() == ["firing critical QueueLong"]


def test_explaining_shows_the_alert_of_a_rule_file(tmp_path: Path) -> None:
    """The rule is a rule like ours: its threshold is the number of its comparison."""
    one = agent(tmp_path).run(5 * MINUTE)
    [alert] = one.desk.state.alerts
    assert alert.threshold == "above 100"
    assert alert.reason == "500 > 100"


def test_what_vanishes_while_the_agent_is_down_ends_with_the_first_slot(tmp_path: Path) -> None:
    """What a rule wrote before the start is known: its series do not linger where it returns nothing any more."""
    one = agent(tmp_path, GROUPS.replace("max by (instance) (depth)", "depth > 100")).run(3 * MINUTE)
    assert found(one, "shop:depth:max")
    one.looks["shop"] = lambda now: {"depth": 5}
    one.restart().run(50 * SECOND)
    assert found(one, "shop:depth:max") == {}


def test_a_rule_that_fails_and_is_removed_fails_no_more(tmp_path: Path) -> None:
    """What nobody evaluates any more is nobody's trouble."""
    two = "[{name: b, interval: 15s, rules: [{record: two, expr: vector(1) * on () depth}]}]"
    one = agent(tmp_path, f"groups: {two}")
    one.looks["shop"] = lambda now: {"depth{x=1}": 1, "depth{x=2}": 2}
    one.run(MINUTE)
    assert "many" in one.desk.state.failures["two"]
    one.write(REST + GROUPS)
    one.reload()
    assert one.desk.state.failures == {}
