"""Rules that wait for a metric in vain: after an hour somebody hears, whatever restarts come between."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.agent.numbers import own_batch
from sentinel.agent.waits import PATIENCE, Wait, Waits, numbers
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 1m}
rules:
  queue: {last: queue_dpeth, above: 10, severity: critical, owner: shop}
  queue-long: {last: queue_dpeth, above: 5, severity: warning, owner: shop}
  queue-empty: {last: queue_dpeth, below: 1, severity: warning, owner: data}
  orders: {increase: {of: orders_total, over: 5m}, above: 10, severity: error}
  never: {increase: {of: never_total, over: 5m}, above: 10, severity: error}
  idle: {expr: "nothing > 1", severity: error}
notifiers: {people: {console: {}}}
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FastAgent]:
    """Return a house whose shop counts orders, and has nothing that the rules on its queue would read."""
    found = FastAgent(tmp_path)
    found.write(TREE)
    found.looks["shop"] = lambda _: {"orders_total": 5.0}
    yield found.start()
    found.database.close()


def look(agent: FastAgent, waits: Waits, *, seeing: bool = True) -> dict[str, float]:
    """Look once as the agent does, append the numbers, and return them."""
    now = agent.clock.now()
    if waits.due(now):
        waits.look(agent.config.rules.values(), agent.history.reader(), now, seeing=seeing)
    found = list(numbers(waits.of(agent.config.rules)))
    agent.desk.arrive(own_batch(found, now))
    return {f"{sample.name} {','.join(sample.labels.values())}": sample.value for sample in found}


def pass_time(agent: FastAgent, waits: Waits, span: timedelta, *, seeing: bool = True) -> dict[str, float]:
    """Let time pass; look every minute."""
    ends = agent.clock.now() + span
    found = look(agent, waits, seeing=seeing)
    while agent.clock.now() < ends:
        agent.run(MINUTE)
        found = look(agent, waits, seeing=seeing)
    return found


def blind(found: dict[str, float]) -> set[str]:
    """Return what is blind."""
    return {name.removeprefix("sentinel_rule_blind ") for name in found if name.startswith("sentinel_rule_blind")}


def test_after_an_hour_each_owner_hears_once_of_each_metric(agent: FastAgent) -> None:
    """And not of what returns nothing, nor of what was never counted."""
    waits = Waits(agent.desk.away_since)
    agent.run(MINUTE)
    assert blind(pass_time(agent, waits, PATIENCE - MINUTE)) == set()
    assert blind(pass_time(agent, waits, 6 * MINUTE)) == {"queue,queue_dpeth,shop", "queue-empty,queue_dpeth,data"}
    agent.run(MINUTE)
    assert agent.told().count("firing warning sentinel-rule-blind") == 1


def test_an_upward_count_of_what_was_never_seen_waits_and_nobody_hears(agent: FastAgent) -> None:
    """`status` lists it: nothing has happened yet, or the name is mistyped."""
    waits = Waits(agent.desk.away_since)
    found = pass_time(agent, waits, 10 * MINUTE)
    assert waits.of(["never"]) == [Wait("never", "never_total", "", 10 * MINUTE, uncounted=True)]
    assert not any("never" in name for name in found)


def test_a_counter_that_was_there_is_missed(agent: FastAgent) -> None:
    """Also once its series is not in memory any more."""
    waits = Waits(agent.desk.away_since)
    pass_time(agent, waits, 5 * MINUTE)
    agent.looks["shop"] = lambda _: {"other": 1.0}
    found = pass_time(agent, waits, timedelta(hours=2, minutes=15))
    assert "orders,orders_total" in blind(found)
    agent.looks["shop"] = lambda _: {"orders_total": 5.0}
    assert "orders,orders_total" not in blind(pass_time(agent, waits, 6 * MINUTE))


def test_a_wait_goes_on_after_a_restart(agent: FastAgent) -> None:
    """The time between counts for nothing."""
    pass_time(agent, Waits(agent.desk.away_since), 50 * MINUTE)
    agent.run(MINUTE)
    agent.restart(away=timedelta(hours=5))
    waits = Waits(agent.desk.away_since)
    assert blind(pass_time(agent, waits, 5 * MINUTE)) == set()
    assert "queue,queue_dpeth,shop" in blind(pass_time(agent, waits, 10 * MINUTE))


def test_no_wait_grows_while_the_agent_is_blind(agent: FastAgent) -> None:
    """It is not the metric that is missing then."""
    waits = Waits(agent.desk.away_since)
    assert blind(pass_time(agent, waits, PATIENCE + 6 * MINUTE, seeing=False)) == set()


@pytest.mark.parametrize(
    ("change", "lasted"),
    [
        pytest.param(lambda text: text.replace("above: 10, severity: critical", "above: 20, severity: error"), 30),
        pytest.param(lambda text: text.replace("queue: {last: queue_dpeth", "queue: {last: other"), 0),
    ],
    ids=["a threshold changes", "another metric"],
)
def test_an_edit_keeps_the_wait_for_the_same_metric(
    agent: FastAgent, change: Callable[[str], str], lasted: float
) -> None:
    """And begins anew with another one."""
    waits = Waits(agent.desk.away_since)
    pass_time(agent, waits, 25 * MINUTE)
    agent.write(change(TREE))
    agent.reload()
    pass_time(agent, waits, 5 * MINUTE)
    (wait,) = waits.of(["queue"])
    assert wait == Wait("queue", wait.metric, "shop", lasted * MINUTE)
