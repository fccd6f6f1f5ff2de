"""Twenty SIGKILLs under load: what was acknowledged is there, each transition has its debt, nobody hears twice."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
import urllib.request
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import until
from tests.e2e.service import Service
from tests.receivers import SentryServer

KILLS = 20

TREE = """
probes:
  shop: {{http: "{service}/health", every: 100ms, timeout: 90ms}}
  discovery: {{heartbeat: {{every: 10m}}}}
rules:
  shop-down: {{probe: {{name: shop, fails: 1}}, severity: critical, summary: the shop is down}}
  queue-long: {{last: queue_length, above: 5, for: 1h, severity: warning, summary: the queue is long}}
notifiers:
  sentry: {{sentry: {{dsn: "{dsn}"}}}}
"""


class Pinger:
    """A job that calls all the time, and counts what was acknowledged."""

    def __init__(self, agent: ForkedAgent) -> None:
        self.acknowledged = self.sent = 0
        self._agent, self._ended = agent, threading.Event()
        self._thread = threading.Thread(target=self._call, daemon=True)
        self._thread.start()

    def _call(self) -> None:
        while not self._ended.wait(0.005):
            self.sent += 1
            try:
                with urllib.request.urlopen(f"{self._agent.url}/ping/discovery", timeout=2) as answer:
                    self.acknowledged += answer.status == 200
            except OSError:
                continue

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)


@pytest.mark.timeout(180)
def test_twenty_sigkills_lose_nothing_and_tell_nobody_twice(tmp_path: Path) -> None:
    """Kill at moments of chance (seeded), some while it starts, as a service flaps and a job calls; then count."""
    chance = random.Random(20)
    service = Service()
    with SentryServer() as sentry:
        agent = ForkedAgent(tmp_path, SENTINEL_WARMUP="1ms")
        agent.write("tree.yaml", TREE.format(service=service.url, dsn=sentry.dsn))
        agent.start()
        pinger = Pinger(agent)
        try:
            for kill in range(KILLS):
                service.status = chance.choice((200, 500))
                time.sleep(chance.uniform(0.05, 0.5))
                service.status = chance.choice((200, 500))
                time.sleep(chance.uniform(0.0, 0.2))
                agent.kill()
                agent.start(ready=kill % 2 == 0)
            service.status = 200
            agent.wait()
            until("the shop is well", lambda: not agent.alert("shop-down"))
            until("nothing is owed", lambda: not agent.get("/api/deliveries?settlement=open")["deliveries"])
        finally:
            pinger.close()
            agent.stop()
            service.close()
    with closing(sqlite3.connect(tmp_path / "sentinel.db")) as database:
        (successes,) = database.execute("select successes from heartbeat where name = 'discovery'").fetchone()
        fired = _fired(database)
        rows = _debts(database)
    assert pinger.acknowledged <= successes <= pinger.sent
    assert pinger.acknowledged
    assert fired
    for at, fingerprint in fired:
        assert [row for row in rows if fingerprint in row.alerts and row.until >= at], "a transition without its debt"
    accepted = [row for row in rows if row.settlement == "delivered" and row.reason != "resolved" and not row.why]
    assert len(sentry.events) == len(accepted)
    assert len({row.key for row in accepted}) == len(accepted)


@dataclass(frozen=True)
class Debt:
    """A row of the outbox, and until when something could still join it."""

    alerts: frozenset[str]
    until: int
    settlement: str
    reason: str
    key: str
    why: str


def _fired(database: sqlite3.Connection) -> list[tuple[int, str]]:
    rows = database.execute("select at, subject, body from audit where kind = 'transition' order by seq")
    return [(at, subject) for at, subject, body in rows if json.loads(body)["change"] == "fired"]


def _debts(database: sqlite3.Connection) -> list[Debt]:
    rows = database.execute("select alerts, created_at, attempts, settlement, reason, key, why from notification")
    return [
        Debt(
            frozenset(json.loads(alerts)),
            max([created_at, *(attempt["at"] for attempt in json.loads(attempts))]),
            settlement,
            reason,
            key,
            why,
        )
        for alerts, created_at, attempts, settlement, reason, key, why in rows
    ]
