"""DESIGN, "Restart, reload, deploy": time in which the agent did not look, of three kinds, counts for nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sentinel.agent.numbers import own_batch
from sentinel.core.sample import Sample
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
  backup: {heartbeat: {every: 1d}}
notifiers: {crew: {console: {}}}
rules:
  waits: {last: waiting, above: 10, for: 5m, severity: error}
  keeps: {last: keeping, above: 10, keep_firing_for: 5m, severity: error}
  idle: {job: {name: backup, not_run_for: 15m}, severity: error}
  gone: {absent: {of: heard_total, over: 10m}, severity: error}
"""
HOUR = timedelta(hours=1)


class Counting(FastAgent):
    """An agent that says each 15 s whether it sees, as the real one does: by that it knows how long it looked."""

    def _bring(self, now: datetime) -> None:
        counts = self._look_at_jobs <= now
        super()._bring(now)
        if counts:
            self.desk.arrive(own_batch([Sample("sentinel_blind", float(self.history.head.blind))], now))


def down(agent: FastAgent) -> None:
    """Let the agent die, and be started an hour later."""
    agent.restart(away=HOUR)


def suspended(agent: FastAgent) -> None:
    """Let the machine sleep for an hour."""
    agent.leap(HOUR)


def blind(agent: FastAgent) -> None:
    """Let the agent reach nothing for an hour, and not its reference either: what fails then stores no sample."""
    looks = dict(agent.looks)
    agent.looks.clear()
    agent.blinded(True)
    agent.run(HOUR)
    agent.blinded(False)
    agent.looks |= looks
    agent._next["shop"] = agent.config.probes["shop"].every.next_after(agent.clock.now(), "shop")


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FastAgent]:
    """An agent for which all is well but what keeps firing; its job has just called."""
    agent = Counting(tmp_path)
    agent.write(TREE)
    agent.looks["shop"] = lambda _: {"waiting": 1.0, "keeping": 99.0, "heard_total": 1.0}
    agent.start()
    agent.run(timedelta(minutes=12))
    agent.ping("backup")
    yield agent
    agent.database.close()


@pytest.mark.parametrize("away", [down, suspended, blind])
def test_time_in_which_the_agent_did_not_look_counts_for_nothing(
    agent: FastAgent, away: Callable[[FastAgent], None]
) -> None:
    """'Time in which the agent did not look (down, suspended, blind) counts for no `for`, …' nor the three others."""
    agent.looks["shop"] = lambda _: {"waiting": 99.0, "keeping": 1.0}
    agent.run(timedelta(minutes=3))
    away(agent)
    agent.run(timedelta(minutes=1))
    assert _changes(agent, "waits") == ["pending"]
    assert _changes(agent, "keeps") == ["fired error", "recovering error"]
    assert _changes(agent, "idle") == []
    assert _changes(agent, "gone") == []
    agent.run(timedelta(minutes=3))
    assert _changes(agent, "waits") == ["pending", "fired error"]
    assert _changes(agent, "keeps") == ["fired error", "recovering error", "resolved error"]
    agent.run(timedelta(minutes=6))
    assert _changes(agent, "idle") == []
    agent.run(timedelta(minutes=3))
    assert _changes(agent, "idle") == ["fired error"]
    assert _changes(agent, "gone") == ["fired error"]


def _changes(agent: FastAgent, rule: str) -> list[str]:
    return [change for change in agent.changes(rule) if "data" not in change]
