"""An agent that runs for long: memory stays flat, no look is lost, whoever is owed a message gets it.

`SENTINEL_SOAK_MINUTES` says how long; an hour by default.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.e2e.process import AgentProcess, until
from tests.e2e.service import Service
from tests.receivers import SlackServer

MINUTES = float(os.environ.get("SENTINEL_SOAK_MINUTES", "60"))
RULES = """
rules:
  p0-down: {{probe: {{name: p0, fails: 2}}, severity: critical, summary: down}}
notifiers:
  oncall: {{slack: {{token: xoxb-test, channel: "#oncall", base_url: "{slack}"}}}}
"""


def _resident_mb(pid: int) -> float:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024


@pytest.mark.soak
def test_memory_stays_flat_while_a_service_flaps(tmp_path: Path) -> None:
    """100 probes a second, a service that is down for ten seconds of each minute, Slack that hears of each time."""
    service, rounds, resident = Service(), 0, []
    probes = "".join(f"  p{n}: {{http: {service.url}/health?{n}, every: 1s, timeout: 900ms}}\n" for n in range(100))
    with SlackServer() as slack:
        agent = AgentProcess(tmp_path)
        agent.write("tree.yaml", f"probes:\n{probes}" + RULES.format(slack=slack.base_url))
        agent.start()
        assert agent.process is not None
        try:
            ends = time.monotonic() + 60 * MINUTES
            while time.monotonic() < ends:
                time.sleep(50)
                service.status = 500
                until("it fires", lambda: agent.alert("p0-down"))
                time.sleep(10)
                service.status = 200
                until("it is over", lambda: not agent.alert("p0-down"))
                rounds += 1
                resident.append(_resident_mb(agent.process.pid))
                print(f"minute {rounds}: {resident[-1]:.1f} MB, {len(service.asked)} looks, {len(slack.parents)} told")
            # The last resolve may have to wait for the group's interval, a minute.
            until("nothing is owed", lambda: not agent.get("/api/deliveries?settlement=open")["deliveries"], 90)
            assert len(slack.parents) == rounds
            early, late = resident[min(2, len(resident) - 1)], resident[-1]
            assert late < early * 1.15 + 32, "memory grows beyond an hour of head"
        finally:
            assert agent.stop() == 0
            service.close()
