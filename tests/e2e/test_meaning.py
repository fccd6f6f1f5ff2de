"""False pages, missed pages and false resolves that DESIGN section 4 speaks of, each by its name, on the real parts."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentinel.core.alert import Observed
from sentinel.rules.observe import observe
from tests.e2e.fast import FastAgent

PROBES = """
probes:
  shop: {scrape: http://127.0.0.1:1/metrics, every: 15s}
  ledger: {sql: {url: "sqlite:///x.db", query: "select 1 as ledger_difference_cents limit 1"}, every: 1h}
"""
RULES = """
rules:
  failures:
    ratio: {of: 'purchases_total{status="failed"}', to: purchases_total, over: 5m, at_least: 20}
    above: 5%
    severity: critical
  queue-long: {last: queue_depth, above: 10, for: 5m, severity: error}
  ledger-off: {last: ledger_difference_cents, above: 0, severity: critical}
"""
NOTIFIERS = """
notifiers:
  oncall: {console: {}}
routes:
  everything: {notify: [oncall], group_wait: 0s, repeat: 30d}
"""
TREE = PROBES + RULES + NOTIFIERS
PAID, FAILED = 'purchases_total{status="paid"}', 'purchases_total{status="failed"}'


class Shop:
    """What the shop shows: a test changes it; None is a look that fails."""

    def __init__(self) -> None:
        self.shown: dict[str, float] | None = {PAID: 100.0, "queue_depth": 1.0}
        self.growth: dict[str, float] = {PAID: 10.0}

    def look(self, _: datetime) -> dict[str, float] | None:
        if self.shown is None:
            return None
        for series, by in self.growth.items():
            self.shown[series] = self.shown.get(series, 0.0) + by
        return dict(self.shown)

    def show(self, series: str, value: float) -> None:
        assert self.shown is not None
        self.shown[series] = value

    def hide(self, series: str) -> None:
        assert self.shown is not None
        del self.shown[series]
        self.growth.pop(series, None)


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def agent(tmp_path: Path, shop: Shop) -> FastAgent:
    agent = FastAgent(tmp_path, looks={"shop": shop.look})
    agent.write(TREE)
    return agent.start()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def test_the_first_burst_of_a_counter_is_not_missed(agent: FastAgent, shop: Shop) -> None:
    """'A counter that a healthy scrape shows for the first time ever on a later run was 0 on the run before'."""
    agent.run(minutes(6))
    shop.show(FAILED, 40.0)
    agent.run(minutes(1))
    assert agent.told() == ["firing critical failures"]


def test_a_missing_numerator_is_zero_and_ends_nothing_falsely(agent: FastAgent) -> None:
    """'A missing `of` is 0 where `to` is there': no failure was ever counted, and the rule says 0 %, not "no data"."""
    agent.run(minutes(10))
    [seen] = _observed(agent, "failures")
    assert seen.value == 0.0
    assert agent.told() == []


def test_a_renamed_metric_is_gone_and_said_so(agent: FastAgent, shop: Shop) -> None:
    """'the probe ran well and no longer reports the series: its alert resolves as "gone"'."""
    shop.show("queue_depth", 50.0)
    agent.run(minutes(7))
    assert agent.told() == ["firing error queue-long"]
    shop.hide("queue_depth")
    shop.show("queue_length", 50.0)
    agent.run(minutes(1))
    assert agent.told()[1:] == ["resolved error queue-long"]
    assert agent.heard[-1].facts.news[0].reason == "gone"


def test_a_restart_in_a_pending_for_keeps_its_time(agent: FastAgent, shop: Shop) -> None:
    """'States and timers survive SIGKILL'; 'time in which the agent did not look counts for no `for`'."""
    agent.run(minutes(1))
    shop.show("queue_depth", 50.0)
    agent.run(minutes(4))
    agent.restart(away=minutes(10))
    agent.run(minutes(0.5))
    assert agent.told() == []
    agent.run(minutes(1.5))
    assert agent.told() == ["firing error queue-long"]


def test_a_deploy_tells_nobody_anything(agent: FastAgent, shop: Shop) -> None:
    """'A restart or reload by itself sends nothing, repeats nothing and resolves nothing': both restart."""
    shop.show("queue_depth", 50.0)
    agent.run(minutes(7))
    assert agent.told() == ["firing error queue-long"]
    shop.shown = {PAID: 0.0, FAILED: 0.0, "queue_depth": 50.0}  # the service's counters begin anew
    agent.write(TREE.replace("above: 10,", "above: 11, summary: the queue is long,"))
    agent.restart(away=minutes(0.5))
    agent.run(minutes(10))
    assert agent.told() == ["firing error queue-long"]
    shop.show("queue_depth", 0.0)
    agent.run(minutes(1))
    assert agent.told()[1:] == ["resolved error queue-long"]


def test_a_reload_that_edits_a_rule_keeps_its_alert(agent: FastAgent, shop: Shop) -> None:
    """'an edit does not restart it'; and a rule that is removed resolves with its reason."""
    shop.show("queue_depth", 50.0)
    agent.run(minutes(7))
    agent.write(TREE.replace("above: 10,", "above: 20,"))
    agent.reload()
    agent.run(minutes(2))
    assert agent.told() == ["firing error queue-long"]
    agent.write(PROBES + RULES.replace("queue-long", "another") + NOTIFIERS)
    agent.reload()
    agent.run(minutes(1))
    assert agent.told()[1:] == ["resolved error queue-long"]
    assert agent.heard[1].facts.news[0].reason == "rule removed"


def test_two_missed_scrapes_resolve_nothing_and_start_nothing(agent: FastAgent, shop: Shop) -> None:
    """'Unknown: the probe fails: the state is held; nothing starts, `for` does not run on, nothing resolves'."""
    shop.show("queue_depth", 50.0)
    agent.run(minutes(7))
    shown, shop.shown = shop.shown, None
    agent.run(minutes(0.5))
    shop.shown = shown
    agent.run(minutes(2))
    assert agent.told() == ["firing error queue-long"]
    assert agent.changes("queue-long") == ["pending", "fired error"]
    assert agent.changes("failures") == []


def test_an_hourly_probe_has_a_value_all_hour(tmp_path: Path) -> None:
    """'A newest value counts for 5 minutes or two and a half intervals of its probe': no flapping between two looks."""
    agent = FastAgent(tmp_path, looks={"ledger": lambda _: {"ledger_difference_cents": 7.0}})
    agent.write(TREE)
    agent.start().run(timedelta(hours=6), minutes(10))
    assert agent.told() == ["firing critical ledger-off"]


def test_a_probe_that_fails_for_long_is_told_once_as_no_data(agent: FastAgent, shop: Shop) -> None:
    """'after 15 minutes those who were told hear once "no data since"'."""
    shop.show("queue_depth", 50.0)
    agent.run(minutes(7))
    shop.shown = None
    agent.run(minutes(14))
    assert agent.told() == ["firing error queue-long"]
    agent.run(minutes(30))
    assert [line for line in agent.told() if "queue-long" in line] == [
        "firing error queue-long",
        "no data error queue-long",
    ]


def _observed(agent: FastAgent, rule: str) -> list[Observed]:
    return list(observe(agent.config.rules[rule], agent.clock.now(), agent.history, {}, every=True))
