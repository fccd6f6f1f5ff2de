"""DESIGN section 4, "Causes", on the real parts: probes that fail, rules, desk, database, the words of the message."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from tests.e2e.fast import FastAgent

TREE = """
probes:
  database: {sql: {url: "sqlite:///x.db", query: "select 1 as up"}, every: 15s}
  shop: {scrape: "http://127.0.0.1:1/", every: 5s}
rules:
  database-down: {probe: {name: database, fails: 2 of 3}, severity: critical}
  shop-broken: {last: answers, below: 1, severity: critical, depends_on: database-down}
notifiers:
  oncall: {console: {}}
"""


def test_one_message_of_the_cause_and_it_names_what_it_covers(tmp_path: Path) -> None:
    """'while … its probe has just failed, they wait for it … Its message names what it covers'."""
    failing: list[datetime] = []

    def database(now: datetime) -> dict[str, float] | None:
        failing.append(now)
        return None if healthy_until <= now else {"up": 1.0}

    def shop(now: datetime) -> dict[str, float] | None:
        return {"answers": 0.0 if any(healthy_until <= at < now for at in failing) else 1.0}

    agent = FastAgent(tmp_path, looks={"database": database, "shop": shop})
    healthy_until = agent.clock.now() + timedelta(minutes=1)
    agent.write(TREE)
    agent.start().run(timedelta(minutes=5))
    assert agent.changes("shop-broken") == ["fired critical"]
    assert agent.told() == ["firing critical database-down"]
    assert 'shop-broken{instance="shop:8000", job="shop"}, not told while this goes on' in agent.heard[0].text
