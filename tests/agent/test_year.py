"""A year on a clock that is pushed: what is remembered of it does not grow with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.agent.inquiry import _DELIVERIES
from sentinel.core.notification import Reason
from sentinel.engine.account import lines
from sentinel.engine.explain import Past, explain
from sentinel.rules.observe import observe
from tests.e2e.fast import BEGAN, FastAgent

DAY = timedelta(days=1)
TREE = """
probes:
  shop: {http: "http://127.0.0.1:1/", every: 12h}
rules:
  nightly: {last: nightly_depth, above: 10, severity: critical}
  always: {last: always_depth, above: 10, severity: critical}
notifiers:
  people: {console: {}}
  peers: {alertmanager: {url: "http://127.0.0.1:1"}}
routes: {all: {notify: [people, peers], repeat: 7d}}
"""


@pytest.mark.parametrize("months", [3, pytest.param(12, marks=pytest.mark.chaos)])
def test_a_year_of_alerts_leaves_as_much_as_its_last_weeks(tmp_path: Path, months: int) -> None:
    """A rule fires each day, another one all year; the one that fires still says who was told of it, and when."""
    agent = FastAgent(tmp_path)
    agent.write(TREE)
    agent.looks["shop"] = lambda now: {"nightly_depth": 99.0 if now.hour < 12 else 0.0, "always_depth": 99.0}
    agent.start()
    counts = []
    for _ in range(months):
        agent.run(30 * DAY, step=30 * DAY)
        with agent.database.read() as tx:
            counts.append((len(tx.notifications.newest(10_000)), len(tx.told.all()), len(tx.groups.all())))
    assert len(agent.heard) > 4 * 30 * months
    assert max(counts) < (200, 10, 10)  # 35 days with four messages each, and what changes quietly for a day
    rule, now = agent.config.rules["always"], agent.clock.now()
    [alert] = agent.desk.state.alerts.of("always").values()
    with agent.database.read() as tx:
        past = Past(tuple(tx.notifications.newest(_DELIVERIES, about=alert.fingerprint)))
        first = [row for row in tx.notifications.newest(10_000, about=alert.fingerprint) if row.reason is Reason.FIRING]
    assert {row.notifier: row.attempts[0].at < BEGAN + DAY for row in first} == {"people": True, "peers": True}
    seen = observe(rule, now, agent.history, {}, every=True)
    explanation = explain(rule, seen, agent.config.policy, agent.desk.state, now, {alert.fingerprint: past})
    text = "\n".join(lines(explanation))
    assert "people" in text
    assert "reminder delivered" in text
    agent.database.close()
