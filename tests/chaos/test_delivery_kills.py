"""SIGKILL at random while services flap and receivers fail at random: nothing is lost, and nothing is told twice.

`SENTINEL_CHAOS_KILLS=150 SENTINEL_CHAOS_SEED=7 pytest tests/chaos/test_delivery_kills.py -m chaos -n 0 -s` repeats one.
"""

from __future__ import annotations

import json
import os
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import until
from tests.e2e.service import Service
from tests.receivers import SentryServer
from tests.receivers.http import OK, Answer
from tests.receivers.webhook import WebhookServer

pytestmark = pytest.mark.chaos

KILLS = int(os.environ.get("SENTINEL_CHAOS_KILLS", "1000"))
SEED = int(os.environ.get("SENTINEL_CHAOS_SEED") or random.randrange(10**6))

TREE = """
probes:
  shop: {{http: "{service}/health", every: 250ms, timeout: 240ms}}
  queues: {{scrape: "{service}/metrics", every: 250ms, timeout: 240ms}}
rules:
  shop-down: {{probe: {{name: shop, fails: 1}}, severity: critical, summary: the shop is down}}
  queue-long: {{last: queue_length, above: 5, severity: warning, summary: "queue {{{{ labels.queue }}}} is long"}}
notifiers:
  sentry: {{sentry: {{dsn: "{dsn}"}}}}
  hook: {{webhook: {{url: "{hook}"}}}}
  limited: {{webhook: {{url: "{hook}"}}, rate_limit: 2/s}}
routes:
  all: {{notify: [sentry, hook, limited], group_by: [rule, queue], group_wait: 0s, group_interval: 0s}}
"""

#: How a receiver fails: surely, for a while, unheard though it took the message, or in the middle of it.
FAILURES = (
    Answer(500),
    Answer(429, headers={"Retry-After": "1"}),
    Answer(close=True, takes=True),
    Answer(reset=True),
)


@pytest.mark.timeout(3 * KILLS + 900)
def test_kills_under_load_lose_nothing_and_tell_nobody_twice(tmp_path: Path) -> None:
    """Each debt was delivered under one key, each key was taken once, and each transition that fired has its debt."""
    chance = random.Random(SEED)
    print(f"\nseed {SEED}, {KILLS} kills")
    service = Service()
    with SentryServer() as sentry, WebhookServer() as hook:
        agent = ForkedAgent(tmp_path, SENTINEL_WARMUP="1ms")
        agent.write("tree.yaml", TREE.format(service=service.url, dsn=sentry.dsn, hook=f"{hook.url}/hook"))
        try:
            agent.start(ready=False)
            for _ in range(KILLS):
                for receiver in (sentry, hook):
                    receiver.always = chance.choice((OK, OK, OK, *FAILURES))
                asked = len(service.asked)
                if chance.random() < 0.7:  # the others die while they start
                    until("it looks", lambda: len(service.asked) > asked, 900)  # noqa: B023 # asked at once
                for _ in range(chance.randrange(1, 3)):
                    service.status = chance.choice((200, 500))
                    for queue in range(8):
                        service.metrics[f'queue_length{{queue="{queue}"}}'] = chance.choice((0.0, 9.0))
                    time.sleep(chance.uniform(0.02, 0.3))
                agent.kill()
                agent.start(ready=False)
            service.status = 200
            service.metrics = dict.fromkeys(service.metrics, 0.0)
            sentry.always = hook.always = OK
            agent.wait()
            until("all is well", lambda: not [one for one in agent.alerts() if one["rule"] in RULES], 300)
            until("nothing is owed", lambda: not agent.get("/api/deliveries?settlement=open")["deliveries"], 600)
        finally:
            agent.stop()
            service.close()
    with closing(sqlite3.connect(tmp_path / "sentinel.db")) as database:
        database.row_factory = sqlite3.Row
        rows = [dict(row) for row in database.execute("select * from notification")]
        fired = list(database.execute("select at, subject, body from audit where kind = 'transition'"))
    _judge(rows, [(row["at"], row["subject"]) for row in fired if json.loads(row["body"])["change"] == "fired"])
    delivered = {
        notifier: {row["key"] for row in rows if row["notifier"] == notifier and row["settlement"] == "delivered"}
        for notifier in ("sentry", "hook", "limited")
    }
    assert delivered["hook"] | delivered["limited"] == set(hook.taken), "lost, or told under two keys"
    events = {row["key"] for row in rows if row["notifier"] == "sentry" and not row["why"] and row["key"]}
    assert {key for key in events if key in delivered["sentry"]} >= set(sentry.events), "told under two keys"
    _judge_heard(hook.bodies)
    print(
        f"{len(fired)} transitions, {len(rows)} debts, {len(hook.taken)} + {len(sentry.events)} messages taken, "
        f"{hook.repeated} + {sentry.repeated} repeated under a key that was known: 0 lost, 0 doubled"
    )


RULES = ("shop-down", "queue-long")


def _judge(rows: list[dict[str, Any]], fired: list[tuple[int, str]]) -> None:
    assert fired
    assert {row["settlement"] for row in rows} <= {"delivered", "withdrawn"}, "a dead letter"
    until_when: dict[str, int] = {}
    for row in rows:
        last = max([row["created_at"], *(attempt["at"] for attempt in json.loads(row["attempts"]))])
        for fingerprint in json.loads(row["alerts"]):
            until_when[fingerprint] = max(last, until_when.get(fingerprint, 0))
    for at, fingerprint in fired:
        assert until_when.get(fingerprint, -1) >= at, "a transition without its debt"
    alone = [row["key"] for row in rows if row["key"] and row["digest"] in ("", row["id"])]
    assert len(alone) == len(set(alone)), "two debts under one key"


def _judge_heard(bodies: list[dict[str, Any]]) -> None:
    """Hold what the receiver took, in its order, against the promise: each beginning once, and an end last."""
    begun: set[tuple[str, ...]] = set()
    last: dict[tuple[str, str], bool] = {}
    for data in (body["data"] for body in bodies):
        for alert in data["alerts"]:
            if not alert["news"]:
                continue
            over = alert["state"] == "resolved"
            life = (data["notifier"], alert["fingerprint"], alert["since"])
            if not over and data["reason"] != "updated":
                assert life not in begun, "told twice"
                begun.add(life)
            last[life[:2]] = over
    assert all(last.values()), "an end that nobody heard"
    assert begun
