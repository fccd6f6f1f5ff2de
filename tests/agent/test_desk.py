"""The desk, turned by hand on a real database and a clock that is pushed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.core.alert import Phase
from sentinel.core.errors import StoreUnavailable
from sentinel.core.heartbeat import Ping, PingKind
from sentinel.store.database import Transaction
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
  nightly: {heartbeat: {every: 1h}}
rules:
  queue: {last: queue_depth, above: 10, severity: critical, for: 1m}
  nightly-fails: {job: {name: nightly, failed: 3}, severity: error}
notifiers: {people: {console: {}}}
"""


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FastAgent]:
    """Return a house whose shop has an empty queue."""
    found = FastAgent(tmp_path)
    found.write(TREE)
    found.looks["shop"] = lambda _: {"queue_depth": 0.0}
    yield found.start()
    found.database.close()


def test_a_work_that_fails_fails_alone(agent: FastAgent) -> None:
    """Those that share its commit are written."""

    def broken(_: Transaction) -> None:
        raise ValueError("not mine")

    good = agent.desk.write(lambda tx: tx.memory.put("one", {"a": 1}))
    bad = agent.desk.write(broken)
    also = agent.desk.write(lambda tx: tx.memory.put("two", {"b": 2}))
    agent.desk.turn()
    assert (good.result(0), also.result(0)) == (None, None)
    assert isinstance(bad.exception(0), ValueError)
    with agent.database.read() as tx:
        assert tx.memory.all() == {"one": {"a": 1}, "two": {"b": 2}}


def test_what_a_work_changes_in_memory_is_true_after_its_commit(agent: FastAgent) -> None:
    """And before whoever asked hears of it."""
    seen: list[int] = []
    answer = agent.desk.write(lambda tx: 7, seen.append)
    assert seen == []
    agent.desk.turn()
    assert (seen, answer.result(0)) == ([7], 7)


def test_two_calls_of_one_job_may_share_a_commit(agent: FastAgent) -> None:
    """The second finds what the first left."""
    pings = [agent.desk.ping(Ping("nightly", PingKind.SUCCESS, agent.clock.now())) for _ in range(2)]
    agent.desk.turn()
    assert [ping.result(0).successes for ping in pings] == [1, 2]
    assert agent.desk.jobs.known["nightly"].successes == 2


def test_what_a_job_calls_twice_in_one_millisecond_is_judged_in_the_next(agent: FastAgent) -> None:
    """A series has one sample a millisecond: the second call waits that long, and neither for the next look at jobs."""
    for _ in range(3):
        agent.desk.ping(Ping("nightly", PingKind.FAIL, agent.clock.now()))
        rest = agent.desk.turn()
    assert rest <= 0.005
    assert not agent.desk.state.alerts.of("nightly-fails")
    agent.clock.advance(timedelta(milliseconds=1))
    agent.desk.turn()
    agent.clock.advance(timedelta(seconds=1))
    agent.desk.turn()
    assert [alert.phase for alert in agent.desk.state.alerts.of("nightly-fails").values()] == [Phase.FIRING]
    assert agent.history.head.refused == {}


def test_samples_ride_with_the_next_commit_and_wait_no_longer_than_a_second(agent: FastAgent) -> None:
    """Nobody waits for them, and a crash loses a second at most."""
    agent.run(timedelta(seconds=16))
    agent.clock.advance(timedelta(seconds=1))
    agent.desk.turn()
    agent.restart()
    ids, _ = agent.history.head.series(())
    assert len(ids) > 0


def test_nothing_is_lost_while_the_database_takes_nothing(agent: FastAgent, monkeypatch: pytest.MonkeyPatch) -> None:
    """Samples stay in the head, who waits hears it, decisions are taken when it takes again."""
    agent.run(timedelta(seconds=20))
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0}
    with closing(sqlite3.connect(agent.folder / "sentinel.db", isolation_level=None, timeout=0)) as other:
        other.execute("BEGIN IMMEDIATE")
        refused = agent.desk.write(lambda tx: tx.memory.put("one", {}))
        agent.desk.turn()
        assert isinstance(refused.exception(0), StoreUnavailable)
        assert agent.desk.pen.resting
        other.execute("ROLLBACK")
    agent.run(timedelta(minutes=2))
    assert agent.desk.pen.unwritten_since is None
    assert agent.changes("queue") == ["pending", "fired critical"]
    assert agent.told() == ["firing critical queue"]


def test_time_in_which_nobody_looked_counts_for_no_for(agent: FastAgent) -> None:
    """A pending alert goes on where it stood when the agent went down."""
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0}
    agent.run(timedelta(seconds=45))
    assert agent.changes("queue") == ["pending"]
    agent.restart(away=timedelta(hours=3))
    agent.run(timedelta(seconds=16))
    assert agent.changes("queue") == ["pending"]
    agent.run(timedelta(seconds=45))
    assert agent.changes("queue") == ["pending", "fired critical"]


def test_a_suspended_machine_is_an_outage(agent: FastAgent) -> None:
    """As if the agent had been down."""
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0}
    agent.run(timedelta(seconds=45))
    slept_from = agent.clock.now()
    agent.clock.advance(timedelta(hours=8))
    agent.desk.ask(lambda: agent.desk.was_away(slept_from))
    agent.desk.turn()
    agent.run(timedelta(seconds=16))
    assert agent.changes("queue") == ["pending"]


def test_an_edit_keeps_the_alert(agent: FastAgent) -> None:
    """Nobody hears of it anew."""
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0}
    agent.run(timedelta(minutes=2))
    agent.write(TREE.replace("above: 10", "above: 20"))
    agent.reload()
    agent.run(timedelta(minutes=2))
    assert agent.told() == ["firing critical queue"]
    assert agent.changes("queue") == ["pending", "fired critical"]
