"""Twenty edits, a third of them bad, while a probe looks every 100 ms: no look missed, no alert lost or repeated."""

from __future__ import annotations

import random
import re
import time
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import until
from tests.e2e.service import Service
from tests.receivers import SlackServer

PROBES = 'probes:\n  shop: {{http: "{service}/health", every: 100ms, timeout: 90ms}}\n'
STEADY = """
rules:
  shop-down: {{probe: {{name: shop, fails: 5}}, severity: critical, summary: the shop is down}}
notifiers:
  oncall: {{slack: {{token: xoxb-test, channel: "#oncall", base_url: "{slack}"}}}}
"""
GOOD = "rules:\n  queue-{n}: {{last: queue_length, above: {n}, severity: warning, summary: the queue is long}}\n"
BAD = (
    "rules:\n  queue: {last: queue_length, abvoe: 5, severity: warning}\n",
    "rules:\n  queue: [\n",
    "rules:\n  queue: {expr: 'rate(x[5m', severity: warning}\n",
    "rules:\n  queue: {last: queue_length, above: 5, for: 5, severity: warning}\n",
    "routes:\n  all: {notify: [nobody]}\n",
    "\x00\x01",
)


@pytest.mark.timeout(120)
def test_twenty_edits_miss_no_look_and_repeat_no_alert(tmp_path: Path) -> None:
    """The alert fires before the first edit and goes on over all of them; Slack hears of it once."""
    chance = random.Random(7)
    service = Service()
    with SlackServer() as slack:
        agent = ForkedAgent(tmp_path, SENTINEL_WARMUP="1ms")
        agent.write("steady.yaml", (PROBES + STEADY).format(service=service.url, slack=slack.base_url))
        agent.write("edited.yaml", GOOD.format(n=0))
        agent.start()
        try:
            until("the first look", lambda: service.asked)
            service.status = 500
            until("Slack hears of it", lambda: slack.parents)
            before = until("the alert is shown", lambda: agent.alert("shop-down"))
            first, missed = len(service.asked), _number(agent, "sentinel_probe_runs_skipped_total")
            for n in range(1, 21):
                bad = n % 3 == 0
                agent.write("edited.yaml", chance.choice(BAD) if bad else GOOD.format(n=n))
                until(f"edit {n} is seen", lambda: _seen(agent, n, bad=bad), 10)  # noqa: B023
            looks = service.asked[first:]
            time.sleep(0.2)
            after = agent.alert("shop-down")
            counted, skipped = (_number(agent, f"sentinel_probe_runs{what}_total") for what in ("", "_skipped"))
        finally:
            assert agent.stop() == 0
            service.close()
    assert before
    assert after
    assert (before["since"], before["fingerprint"]) == (after["since"], after["fingerprint"])
    assert [m for m in slack.messages if "shop is down" in str(m)] == slack.parents
    assert len(slack.parents) == 1
    gaps = [later - earlier for earlier, later in pairwise(looks)]
    assert counted >= first + len(looks), "the probe was taken up anew, with its schedule"
    # Two tests share a core: a look that itself lasts longer than 100 ms then leaves out the next one.
    assert skipped - missed <= max(1, 0.02 * len(looks))
    assert max(gaps) < 1.0, f"nobody looked for {max(gaps):.3f} s"  # a reload that stops first would take seconds


def _number(agent: ForkedAgent, name: str) -> float:
    found = re.search(rf'^{name}{{.*target="shop".*}} (\S+)$', agent.get("/metrics", parse=False), re.MULTILINE)
    assert found, name
    return float(found[1])


def _seen(agent: ForkedAgent, n: int, *, bad: bool) -> bool:
    config = agent.get("/api/status")["config"]
    if bad:
        return not config["last_reload"]["ok"]
    rules = {rule["name"] for rule in agent.get("/api/rules")["rules"]}
    return bool(config["last_reload"]["ok"] and f"queue-{n}" in rules)


def test_a_bad_edit_does_not_stop_monitoring_over_a_restart_either(tmp_path: Path) -> None:
    """The last good configuration runs on, also after a SIGKILL; the log shows the place."""
    service = Service()
    agent = ForkedAgent(tmp_path, SENTINEL_WARMUP="1ms")
    agent.write(
        "steady.yaml", PROBES.format(service=service.url) + GOOD.format(n=0) + "notifiers: {log: {console: {}}}\n"
    )
    agent.start()
    try:
        until("the first look", lambda: service.asked)
        agent.write("edited.yaml", BAD[0])
        until("the edit is refused", lambda: not agent.get("/api/status")["config"]["last_reload"]["ok"])
        agent.kill()
        looked = len(service.asked)
        agent.start()
        until("it looks again", lambda: len(service.asked) > looked)
        assert not agent.get("/api/status")["config"]["last_reload"]["ok"]
        assert "abvoe" in agent.logged()
        assert "sentinel_config_last_reload_successful 0.0" in agent.get("/metrics", parse=False)
        agent.write("edited.yaml", GOOD.format(n=1))
        until("the mended file is taken", lambda: agent.get("/api/status")["config"]["last_reload"]["ok"])
    finally:
        agent.stop()
        service.close()


def test_an_empty_folder_where_there_were_rules_is_a_failed_mount(tmp_path: Path) -> None:
    """Nothing in the tree is not "delete all rules"."""
    service = Service()
    agent = ForkedAgent(tmp_path)
    path = agent.write(
        "steady.yaml", PROBES.format(service=service.url) + GOOD.format(n=0) + "notifiers: {log: {console: {}}}\n"
    )
    agent.start()
    try:
        path.unlink()
        until("it is refused", lambda: not agent.get("/api/status")["config"]["last_reload"]["ok"])
        assert [rule["name"] for rule in agent.get("/api/rules")["rules"] if rule["name"] == "queue-0"]
    finally:
        agent.stop()
        service.close()
