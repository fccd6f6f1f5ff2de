"""How fast the agent starts, hears of trouble and tells of it, and what it costs to run.

Figures to reach: first probe 1.5 s after the start; bad answer to receiver 50 ms (median; Prometheus's stack 410 ms);
120 MB with 100 HTTP probes every 5 s and 500 rules, CPU with 100 beside the peers' 4.0 s a minute; `check` under 0.5 s.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.bench.peers import resident_mb
from tests.e2e.process import AgentProcess, until
from tests.e2e.service import Service
from tests.receivers import SlackServer

pytestmark = pytest.mark.bench

ROOT = Path(__file__).parents[2]


#: As an installed package runs, whatever the shell says: modules are compiled once, and not at every start.
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}


def _tree(service: Service, slack: SlackServer, every: str) -> str:
    return f"""
probes:
  shop: {{http: {service.url}/health, every: {every}, timeout: {every.replace("1s", "900ms")}}}
rules:
  shop-down: {{probe: {{name: shop, fails: 1}}, severity: critical, summary: the shop is down}}
notifiers:
  oncall: {{slack: {{token: xoxb-test, channel: "#oncall", base_url: "{slack.base_url}"}}}}
"""


def _figures(name: str, seconds: list[float]) -> None:
    ms = sorted(1000 * each for each in seconds)
    p90 = ms[int(0.9 * (len(ms) - 1))]
    print(f"\n{name}: min {ms[0]:.0f} / median {statistics.median(ms):.0f} / p90 {p90:.0f} / max {ms[-1]:.0f} ms")


def test_from_the_bad_answer_to_the_receiver(tmp_path: Path) -> None:
    """Twenty times: the service begins to fail; how long after its first bad answer does Slack's server hear of it?"""
    service = Service()
    took: list[float] = []
    back: list[float] = []
    with SlackServer() as slack:
        agent = AgentProcess(tmp_path, SENTINEL_WARMUP="1s")
        agent.write("rules.yaml", _tree(service, slack, "1s"))
        agent.start()
        try:
            until("the first look", lambda: service.asked)
            for _ in range(20):
                heard = len(slack.requests)
                service.bad_answer_at, service.status = 0.0, 500
                until("Slack hears of it", lambda: len(slack.requests) > heard)  # noqa: B023
                took.append(slack.requests[heard].at - service.bad_answer_at)
                service.status, fixed, heard = 200, time.monotonic(), len(slack.requests)
                until("Slack hears of the end", lambda: len(slack.requests) > heard)  # noqa: B023
                back.append(slack.requests[heard].at - fixed)
                until("nothing is owed", lambda: not agent.get("/api/deliveries?settlement=open")["deliveries"])
        finally:
            agent.stop()
    _figures("bad answer -> receiver (Prometheus's stack: 50 / 410 / 1040 ms)", took)
    _figures("flip back -> receiver, looks every second (Prometheus's stack: 100 / 980 / 2000 ms)", back)
    assert statistics.median(took) < 0.050


def test_start_to_first_probe(tmp_path: Path) -> None:
    """Seven starts: from exec to the first request at the service."""
    service, took = Service(), []
    with SlackServer() as slack:
        for at in range(7):
            folder = tmp_path / str(at)
            folder.mkdir()
            agent = AgentProcess(folder, **COMPILED)
            agent.write("rules.yaml", _tree(service, slack, "1s"))
            service.asked.clear()
            began = time.monotonic()
            agent.start(ready=False)
            took.append(until("the first look", lambda: service.asked)[0] - began)
            agent.stop()
    _figures("exec -> first probe, which waits for its offset in a second", took)
    assert statistics.median(took) < 1.5


def test_check_of_the_shipped_tree() -> None:
    """Seven runs of `sentinel check` on all YAML that is shipped."""
    took = []
    for _ in range(7):
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "sentinel", "check", "rules", "probes", "notifiers"], cwd=ROOT, capture_output=True
        )
        took.append(time.monotonic() - began)
        assert done.returncode == 0, done.stdout.decode()
    _figures("sentinel check on the shipped tree", took)
    assert statistics.median(took) < 0.5


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> tuple[float, float]:
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return int(lines["VmRSS"].split()[0]) / 1024, int(lines["RssAnon"].split()[0]) / 1024


def test_what_a_hundred_probes_and_rules_cost(tmp_path: Path) -> None:
    """100 HTTP probes every 5 s and 100 rules: memory and CPU over three minutes after the first."""
    service = Service()
    probes = "".join(f"  p{n}: {{http: {service.url}/health?{n}, every: 5s}}\n" for n in range(100))
    rules = "".join(f"  r{n}: {{probe: {{name: p{n}, fails: 3}}, severity: error}}\n" for n in range(100))
    agent = AgentProcess(tmp_path, **COMPILED)
    agent.write("rules.yaml", f"probes:\n{probes}rules:\n{rules}notifiers:\n  log: {{console: {{}}}}\n")
    agent.start()
    try:
        assert agent.process is not None
        pid = agent.process.pid
        time.sleep(60)
        for minute in range(1, 4):
            before = _cpu_seconds(pid)
            time.sleep(60)
            resident, anonymous = _memory_mb(pid)
            cpu = _cpu_seconds(pid) - before
            print(f"\nminute {minute}: RSS {resident:.0f} MB, anonymous {anonymous:.0f} MB, CPU {cpu:.2f} s a minute")
        print("Prometheus + Alertmanager + blackbox_exporter: RSS 127 MB, anonymous 64 MB, CPU 4.0 s a minute")
        assert resident < 120
    finally:
        agent.stop()
        service.close()


def test_the_memory_of_five_hundred_rules(tmp_path: Path) -> None:
    """100 HTTP probes every 5 s and 500 rules of five forms: under 120 MB after a minute."""
    service = Service()
    probes = "".join(f"  p{n}: {{http: {service.url}/health?{n}, every: 5s}}\n" for n in range(100))
    rules = "".join(
        f"""
  a{n}: {{probe: {{name: p{n}, fails: 3}}, severity: error}}
  b{n}: {{average: {{of: 'probe_duration_seconds{{probe="p{n}"}}', over: {5 + n}m}}, above: 1s, severity: error}}
  c{n}: {{availability: {{of: p{n}, over: 1h}}, below: 99%, severity: error}}
  d{n}: {{last: 'probe_http_status_code{{probe="p{n}"}}', above: 399, severity: warning}}
  e{n}: {{expr: 'avg_over_time(probe_success{{probe="p{n}"}}[{2 + n}m]) < 0.5', severity: error}}"""
        for n in range(100)
    )
    agent = AgentProcess(tmp_path, **COMPILED)
    agent.write("rules.yaml", f"probes:\n{probes}rules:{rules}\nnotifiers:\n  log: {{console: {{}}}}\n")
    agent.start()
    try:
        assert agent.process is not None
        time.sleep(60)
        resident = resident_mb(agent.process.pid)
    finally:
        agent.stop()
        service.close()
    print(f"\n100 probes, 500 rules: RSS {resident:.1f} MB")
    assert resident < 120
