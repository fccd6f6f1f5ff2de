"""Hours: what the agent does when those of a rule begin and end, and with a rule that is off."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.fast import BEGAN, FastAgent

TREE = """
probes:
  shop: {{http: http://127.0.0.1:1/, every: 1m}}
rules:
  queue-long:
    last: queue_depth
    above: 10
    severity: error
    keep_firing_for: 10m
    {when}
notifiers: {{screen: {{console: {{}}}}}}
"""


@pytest.fixture
def agent(tmp_path: Path) -> FastAgent:
    return FastAgent(tmp_path, looks={"shop": lambda now: {"queue_depth": 50.0}})


def test_an_alert_ends_with_the_hours_at_once_and_says_so(agent: FastAgent) -> None:
    """`keep_firing_for` is about a value that is back; outside its hours a rule has no value."""
    agent.write(TREE.format(when='active: {from: "09:00", to: "12:30"}'))
    agent.start().run(timedelta(hours=1))
    assert agent.changes("queue-long") == ["fired error", "resolved error"]
    resolved = agent.heard[-1].facts.news[0]
    assert resolved.reason == "outside its hours"
    with agent.database.read() as tx:
        row = tx.audit.newest(1, kind="transition")[0]
    assert row.at == datetime(2026, 3, 2, 12, 30, tzinfo=UTC)


def test_a_rule_fires_as_soon_as_its_hours_begin(agent: FastAgent) -> None:
    agent.write(TREE.format(when='active: "!nights"\nschedules: {nights: {from: "18:00", to: "12:20"}}'))
    agent.start().run(timedelta(hours=1))
    with agent.database.read() as tx:
        [fired] = tx.audit.newest(10, kind="transition")
    assert fired.at == datetime(2026, 3, 2, 12, 20, tzinfo=UTC)


def test_a_rule_that_is_switched_off_ends_its_alerts_and_is_on_again_when_it_says(agent: FastAgent) -> None:
    agent.write(TREE.format(when=""))
    agent.start().run(timedelta(minutes=5))
    agent.write(TREE.format(when="enabled: false\n    until: 2026-03-02 12:30"))
    agent.reload()
    assert agent.changes("queue-long") == ["fired error", "resolved error"]
    assert agent.config.rules["queue-long"].rests(BEGAN) == "disabled"
    agent.run(timedelta(minutes=20))
    assert len(agent.changes("queue-long")) == 2
    agent.run(timedelta(minutes=10))
    assert agent.changes("queue-long") == ["fired error", "resolved error", "fired error"]
