"""What looking costs a whole agent, beside Prometheus with blackbox_exporter and Alertmanager in the same minutes.

Figures to reach: 100 targets every 5 s for no more of the processor than the three; 1,000 probes every 10 s, 50 of
them hanging, in less than 200 MB and with no healthy look late by more than 250 ms (p99).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.core.schedule import Every
from tests.bench.peers import INSTALLED, Alertmanager, Receiver, cpu_seconds, resident_mb
from tests.bench.test_agent import COMPILED
from tests.e2e.process import AgentProcess, free_port

pytestmark = [pytest.mark.bench, pytest.mark.timeout(600)]

#: A server that costs next to nothing; what is asked for under /hang never comes, and /seen tells when each was asked.
SERVER = """
import asyncio, json, time

SEEN = {}

class Quick(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        path = data.split(b" ", 2)[1].decode()
        if path == "/seen":
            body = json.dumps(SEEN).encode()
        else:
            SEEN.setdefault(path, []).append(time.time())
            if path.startswith("/hang"):
                return
            body = b'{"status":"ok"}'
        self.transport.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s' % (len(body), body))

async def main():
    server = await asyncio.get_running_loop().create_server(Quick, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


@contextmanager
def target() -> Iterator[str]:
    """Run the server, and yield its URL."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        finally:
            server.kill()


def agent_with(folder: Path, tree: str) -> AgentProcess:
    """Start an agent as it is installed."""
    folder.mkdir(parents=True)
    agent = AgentProcess(folder, **COMPILED)
    agent.write("rules.yaml", tree)
    agent.start()
    return agent


def _tree(url: str, count: int, every: str) -> str:
    probes = "".join(f"  p{n}: {{http: {url}/health?{n}, every: {every}}}\n" for n in range(count))
    rules = "".join(f"  r{n}: {{probe: {{name: p{n}, fails: 3}}, severity: error}}\n" for n in range(count))
    return f"probes:\n{probes}rules:\n{rules}notifiers:\n  log: {{console: {{}}}}\n"


@contextmanager
def _prometheus(folder: Path, url: str, count: int, every: str) -> Iterator[list[int]]:
    """Run the three with the same targets and as many rules, and yield their processes."""
    folder.mkdir(parents=True)
    port, exporter_port = free_port(), free_port()
    targets = ", ".join(f"'{url}/health?{n}'" for n in range(count))
    rules = "".join(
        f"  - {{alert: R{n}, expr: 'probe_success{{instance=\"{url}/health?{n}\"}} == 0', for: 15s}}\n"
        for n in range(count)
    )
    (folder / "rules.yml").write_text(f"groups:\n- name: shop\n  rules:\n{rules}")
    (folder / "blackbox.yml").write_text("modules: {http: {prober: http, http: {preferred_ip_protocol: ip4}}}\n")
    with Receiver() as receiver:
        alertmanager = Alertmanager(folder / "alertmanager", receiver, "group_by: [alertname]")
        (folder / "prometheus.yml").write_text(f"""
global: {{scrape_interval: {every}, scrape_timeout: 3s, evaluation_interval: {every}}}
rule_files: [{folder}/rules.yml]
alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{alertmanager.port}']}}]}}]}}
scrape_configs:
- job_name: shop
  metrics_path: /probe
  params: {{module: [http]}}
  static_configs: [{{targets: [{targets}]}}]
  relabel_configs:
  - {{source_labels: [__address__], target_label: __param_target}}
  - {{source_labels: [__param_target], target_label: instance}}
  - {{target_label: __address__, replacement: '127.0.0.1:{exporter_port}'}}
""")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with (
            subprocess.Popen(
                [
                    "prometheus-blackbox-exporter",
                    f"--config.file={folder}/blackbox.yml",
                    f"--web.listen-address=127.0.0.1:{exporter_port}",
                ],
                **quiet,  # type: ignore[call-overload]
            ) as exporter,
            subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder}/prometheus.yml",
                    f"--storage.tsdb.path={folder}/data",
                    f"--web.listen-address=127.0.0.1:{port}",
                ],
                **quiet,  # type: ignore[call-overload]
            ) as prometheus,
        ):
            try:
                yield [prometheus.pid, exporter.pid, alertmanager.process.pid]
            finally:
                exporter.kill()
                prometheus.kill()
                alertmanager.kill()


@pytest.mark.skipif(
    not INSTALLED or shutil.which("prometheus-blackbox-exporter") is None,
    reason="needs Debian's prometheus, prometheus-alertmanager and prometheus-blackbox-exporter",
)
def test_a_hundred_targets_beside_the_peers(tmp_path: Path) -> None:
    """100 targets every 5 s and 100 rules for each side, for a minute after the first looks."""
    with ExitStack() as stack:
        theirs = stack.enter_context(_prometheus(tmp_path / "theirs", stack.enter_context(target()), 100, "5s"))
        agent = agent_with(tmp_path / "ours", _tree(stack.enter_context(target()), 100, "5s"))
        stack.callback(agent.stop)
        assert agent.process is not None
        everybody = [agent.process.pid, *theirs]
        time.sleep(40)
        before = [cpu_seconds(pid) for pid in everybody]
        time.sleep(60)
        spent = [cpu_seconds(pid) - was for pid, was in zip(everybody, before, strict=True)]
        memory = [resident_mb(pid) for pid in everybody]
    print(f"\nSentinel: CPU {spent[0]:.2f} s a minute, RSS {memory[0]:.0f} MB")
    parts = ", ".join(f"{name} {cpu:.2f} s" for name, cpu in zip(("P", "B", "A"), spent[1:], strict=True))
    print(f"Prometheus + blackbox_exporter + Alertmanager: CPU {sum(spent[1:]):.2f} s a minute ({parts}), ", end="")
    print(f"RSS {sum(memory[1:]):.0f} MB")
    assert spent[0] <= sum(spent[1:])


def test_a_thousand_probes_of_which_fifty_hang(tmp_path: Path) -> None:
    """1,000 HTTP probes of one host every 10 s, 50 of them hanging to their timeout: when do the healthy ones look?"""
    with ExitStack() as stack:
        url = stack.enter_context(target())
        healthy = "".join(f"  p{n}: {{http: {url}/health?{n}, every: 10s, timeout: 3s}}\n" for n in range(950))
        hanging = "".join(f"  h{n}: {{http: {url}/hang?{n}, every: 10s, timeout: 6s}}\n" for n in range(50))
        rules = 'rules:\n  down: {probe: {name: "*", fails: 3}, severity: error, limit: 100}\n'
        tree = f"probes:\n{healthy}{hanging}{rules}notifiers:\n  log: {{console: {{}}}}\n"
        agent = agent_with(tmp_path / "ours", tree)
        stack.callback(agent.stop)
        assert agent.process is not None
        pid = agent.process.pid
        time.sleep(30)
        began, before = time.time(), cpu_seconds(pid)
        time.sleep(60)
        ended, cpu, memory = time.time(), cpu_seconds(pid) - before, resident_mb(pid)
        with urllib.request.urlopen(f"{url}/seen", timeout=30) as answer:
            seen = json.load(answer)
    late, every = [], Every(timedelta(seconds=10))
    for path, moments in seen.items():
        if path.startswith("/health"):
            looks = [at for at in moments if began <= at < ended]
            assert 5 <= len(looks) <= 7, f"{path} was looked at {len(looks)} times in a minute"
            for at in looks:
                asked = datetime.fromtimestamp(at, UTC)
                due = every.next_after(asked - every.interval, f"p{path.rpartition('?')[2]}")
                late.append((asked - due).total_seconds() * 1000)
    late.sort()
    p50, p99, most = late[len(late) // 2], late[len(late) * 99 // 100], late[-1]
    print(
        f"\n1,000 probes, 50 hanging: {len(late):,} healthy looks, late by {p50:.1f} ms / p99 {p99:.1f} / {most:.1f}; ",
        end="",
    )
    print(f"CPU {cpu:.1f} s a minute, RSS {memory:.0f} MB")
    assert p99 < 250
    assert memory < 200
