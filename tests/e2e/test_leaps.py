"""A clock that jumps, ahead and back, with a restart in the middle: nothing starts, ends, waits or is lost by that."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from sentinel.core.clock import to_ms
from sentinel.core.errors import TryAgain
from sentinel.core.notification import Settlement
from sentinel.delivery.breaker import Breaker
from sentinel.delivery.lease import lease, reclaim
from tests.e2e.fast import BEGAN, FastAgent
from tests.store.kit import named

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
  backup: {heartbeat: {every: 1h, grace: 10m}}
  report: {heartbeat: {cron: "0 3 * * *", grace: 30m}}
notifiers: {crew: {console: {}}}
routes:
  all: {notify: [crew], group_wait: 0s, repeat: 4h}
rules:
  queue: {last: queue_depth, above: 10, severity: critical, for: 2m}
  depth: {last: other_depth, above: 10, severity: critical, for: 2m}
"""

LEAPS = [timedelta(seconds=10), timedelta(minutes=5), timedelta(minutes=15), timedelta(1), timedelta(365)]


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FastAgent]:
    """An agent whose queue is too long since half an hour, and whose other queue is short."""
    agent = FastAgent(tmp_path)
    agent.write(TREE)
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0, "other_depth": 1.0}
    agent.start()
    agent.ping("backup")
    agent.ping("report")
    agent.run(timedelta(minutes=31))
    yield agent
    agent.database.close()


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
@pytest.mark.parametrize("by", LEAPS, ids=str)
def test_there_and_back_nothing_starts_or_ends_and_looking_goes_on(
    agent: FastAgent, by: timedelta, restarted: bool
) -> None:
    """No transition comes of it, each sample of the right time is there, and those of the wrong one are not."""
    before = agent.clock.now()
    kept = count(agent, BEGAN, before)
    agent.leap(by)
    agent.run(timedelta(minutes=1))
    if restarted:
        agent.restart()
    agent.leap(-by)
    if restarted:
        agent.restart()
    agent.run(timedelta(minutes=12))
    assert agent.changes("queue") == ["pending", "fired critical"]
    assert set(agent.told()) == {"firing critical queue"} | (
        {"reminder critical queue"} if by > timedelta(hours=4) else set()
    )
    now = agent.clock.now()
    assert count(agent, BEGAN, before) == kept
    assert count(agent, before + timedelta(minutes=1), now) == 48
    tidy(agent)
    assert ahead(agent) == 0
    assert agent.history.head.refused["shop", "out of order"] == 0


@pytest.mark.parametrize("by", LEAPS, ids=str)
def test_a_for_that_runs_when_the_clock_is_set_back_lasts_as_long_as_it_says(agent: FastAgent, by: timedelta) -> None:
    """Half of it before, half of it after; the lost time is not waited for."""
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0, "other_depth": 99.0}
    agent.run(timedelta(minutes=1, seconds=15))
    agent.leap(-by)
    agent.run(timedelta(seconds=20))
    assert agent.changes("depth") == ["pending"]
    agent.run(timedelta(minutes=1))
    assert agent.changes("depth") == ["pending", "fired critical"]


@pytest.mark.parametrize("by", LEAPS[1:], ids=str)
def test_a_for_that_runs_does_not_end_by_a_leap_ahead(agent: FastAgent, by: timedelta) -> None:
    """Nobody looked in the time that was leapt over."""
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0, "other_depth": 99.0}
    agent.run(timedelta(seconds=45))
    agent.leap(by)
    agent.run(timedelta(seconds=45))
    assert agent.changes("depth") == ["pending"]
    agent.run(timedelta(seconds=60))
    assert agent.changes("depth") == ["pending", "fired critical"]


@pytest.mark.parametrize("by", LEAPS, ids=str)
def test_a_job_is_judged_neither_by_a_leap_ahead_nor_late_after_one_back(agent: FastAgent, by: timedelta) -> None:
    """An hour and ten minutes after it called it is overdue, whatever the clock said meanwhile."""
    agent.leap(by)
    agent.run(timedelta(minutes=1))
    assert not late(agent, "backup")
    assert not late(agent, "report")
    agent.leap(-by)
    agent.run(timedelta(minutes=30))
    assert not late(agent, "backup")
    agent.run(timedelta(minutes=20))
    assert late(agent, "backup")
    assert not late(agent, "report")


def test_a_reminder_does_not_wait_for_the_lost_time(agent: FastAgent) -> None:
    """It comes four hours after people were told, by the time that passed."""
    agent.leap(-timedelta(1))
    agent.run(timedelta(hours=3))
    assert agent.told() == ["firing critical queue"]
    agent.run(timedelta(hours=1))
    assert agent.told() == ["firing critical queue", "reminder critical queue"]


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_year_ahead_deletes_nothing_before_the_clock_was_steady_for_a_day(agent: FastAgent, restarted: bool) -> None:
    """Then what is older than the retention goes, as ever."""
    before = agent.clock.now()
    kept = count(agent, BEGAN, before)
    agent.leap(timedelta(365))
    for hours in (11, 12):
        pass_by(agent, hours)
        if restarted:
            agent.restart()
        tidy(agent)
        assert count(agent, BEGAN, before) == kept
    pass_by(agent, 2)
    tidy(agent)
    assert count(agent, BEGAN, before) == 0


def test_samples_in_the_journal_outlive_a_month_in_which_nobody_looked(agent: FastAgent) -> None:
    """The head reaches back twenty days; what is older goes to chunks at the start."""
    before = agent.clock.now()
    kept = count(agent, BEGAN, before)
    agent.restart(away=timedelta(30))
    agent.run(timedelta(minutes=45))
    tidy(agent)
    assert count(agent, BEGAN, before) == kept


def test_what_was_owed_before_the_clock_was_set_back_is_told_before_what_came_after(agent: FastAgent) -> None:
    """DESIGN: "in order per alert and notifier"; nobody knows whether the firing was taken, so its words are kept."""
    agent.write(TREE + "  long: {last: length, above: {warning: 10, critical: 50}}\n")
    agent.reload()
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0, "other_depth": 1.0, "length": 20.0}
    agent.refusals["crew"] = TryAgain("no answer", sure=False)
    agent.run(timedelta(seconds=30))
    agent.leap(-timedelta(1))
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0, "other_depth": 1.0, "length": 60.0}
    agent.run(timedelta(seconds=30))
    agent.refusals.clear()
    agent.run(timedelta(minutes=12))
    assert [line for line in agent.told() if "long" in line] == ["firing warning long", "rose critical long"]


def test_what_was_being_sent_is_sent_again_after_a_restart_whatever_the_clock_says(agent: FastAgent) -> None:
    """A lease ends with the agent that held it; its words and its key stay."""
    agent.looks["shop"] = lambda _: {"queue_depth": 99.0, "other_depth": 99.0}
    agent.refusals["crew"] = TryAgain("no answer", sure=False)
    agent.run(timedelta(minutes=3))
    now = agent.clock.now() + timedelta(minutes=3)
    agent._write(
        lambda tx: lease(tx, agent.desk.state.telling, agent.config.notifiers["crew"], Breaker(), agent._words, now)
    )
    assert [row.settlement for row in agent.desk.state.telling.open.values()] == [Settlement.SENDING]
    agent.crash()
    agent.clock.leap(-timedelta(365))
    agent.refusals.clear()
    agent.start()
    agent._write(lambda tx: reclaim(tx, agent.clock.now()))
    agent.run(timedelta(seconds=15))
    assert agent.told() == ["firing critical queue", "firing critical depth"]


def count(agent: FastAgent, since: datetime, until: datetime) -> int:
    """Return how many samples of the queue there are in (since, until]."""
    range_ms = to_ms(until) - to_ms(since)
    found = agent.history.reader().windows(named("queue_depth"), np.array([to_ms(until)]), range_ms)
    return int((found.hi - found.lo).sum())


def ahead(agent: FastAgent) -> int:
    """Return how many chunks and entries of the journal lie in the future."""
    now_ms = to_ms(agent.clock.now())
    with agent.database.read() as tx:
        ask = tx._connection.exec_driver_sql
        chunks = ask("SELECT count(*) FROM chunk WHERE end_ms > ?", (now_ms,)).scalar_one()
        return int(chunks + ask("SELECT count(*) FROM journal WHERE at_ms > ?", (now_ms,)).scalar_one())


def late(agent: FastAgent, job: str) -> bool:
    """Say whether a job is overdue."""
    expected = agent.desk.jobs.known[job].expected_by
    return expected is not None and expected < agent.clock.now()


def pass_by(agent: FastAgent, hours: int) -> None:
    """Let hours pass, with a few looks in each."""
    for _ in range(hours):
        agent.clock.advance(timedelta(minutes=59))
        agent.run(timedelta(minutes=1))


def tidy(agent: FastAgent) -> None:
    """Let all housekeeping be done."""
    while agent.desk._tidy():
        pass
