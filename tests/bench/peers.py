"""The peers of a comparison, each a process: a quick receiver, and Debian's Alertmanager and Prometheus."""

from __future__ import annotations

import json
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.process import free_port, until

#: Debian's packages `prometheus` and `prometheus-alertmanager`.
INSTALLED = shutil.which("prometheus-alertmanager") is not None and shutil.which("prometheus") is not None


@dataclass(frozen=True)
class Taken:
    """One message that a receiver took, and when on the wall clock."""

    at: float
    body: Any


class Receiver:
    """`receiver.py` as a process."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("receiver.py"))], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self.url = f"http://127.0.0.1:{self.port}"

    def taken(self) -> list[Taken]:
        """Return what it took, in order."""
        lines = _ask(f"{self.url}/seen").decode().splitlines()[1:]
        return [Taken(found["at"], found["body"]) for found in map(json.loads, lines)]

    def refused(self) -> int:
        """Return how many requests it refused."""
        return int(json.loads(_ask(f"{self.url}/seen").split(b"\n", 1)[0])["refused"])

    def count(self) -> int:
        """Return how many it took."""
        return int(_ask(f"{self.url}/count"))

    def answer(self, status: int, after: str = "") -> None:
        """Answer so from now on."""
        _ask(f"{self.url}/answer/{status}{f'/{after}' if after else ''}", b"")

    def metrics(self, name: str, text: str) -> None:
        """Show these to whoever scrapes `/metrics/<name>`."""
        _ask(f"{self.url}/metrics/{name}", text.encode())

    def scraped_at(self) -> float:
        """Wait until somebody scrapes after the last metrics were given, and return when."""
        return until("it is scraped", lambda: float(_ask(f"{self.url}/scraped")))

    def forget(self) -> None:
        """Begin anew."""
        _ask(f"{self.url}/forget", b"")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.communicate()


class Alertmanager:
    """Debian's Alertmanager, without gossip unless that is wanted, and one webhook."""

    def __init__(self, folder: Path, receiver: Receiver, route: str, *, gossip: bool = False) -> None:
        self.folder, self.port = folder, free_port()
        self._gossip = f"127.0.0.1:{free_port()}" if gossip else ""
        self.url = f"http://127.0.0.1:{self.port}"
        self.peak_mb = 0.0
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "alertmanager.yml").write_text(
            f"route: {{receiver: hook, {route}}}\n"
            f"receivers: [{{name: hook, webhook_configs: [{{url: '{receiver.url}/am', send_resolved: true}}]}}]\n"
        )
        self.start()

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.process = subprocess.Popen(
            [
                "prometheus-alertmanager",
                f"--config.file={self.folder / 'alertmanager.yml'}",
                f"--storage.path={self.folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{self.port}",
                f"--cluster.listen-address={self._gossip}",
                "--log.level=error",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until("Alertmanager is ready", self._ready)

    def _ready(self) -> bool:
        try:
            return bool(_ask(f"{self.url}/-/ready"))
        except OSError:
            return False

    def post(self, names: Iterable[dict[str, str]], *, over: bool = False) -> None:
        """Let alerts fire, or end."""
        ends = datetime.now(UTC) + (timedelta(seconds=-1) if over else timedelta(hours=1))
        began = datetime.now(UTC) - timedelta(seconds=5 if over else 0)
        alerts = [{"labels": labels, "startsAt": began.isoformat(), "endsAt": ends.isoformat()} for labels in names]
        _ask(f"{self.url}/api/v2/alerts", json.dumps(alerts).encode())

    def alerts(self) -> int:
        """Return how many alerts it knows."""
        return len(json.loads(_ask(f"{self.url}/api/v2/alerts")))

    def silence(self, **match: str) -> None:
        """Silence for an hour."""
        now = datetime.now(UTC)
        matchers = [{"name": name, "value": value, "isRegex": False, "isEqual": True} for name, value in match.items()]
        body = {
            "matchers": matchers,
            "startsAt": now.isoformat(),
            "endsAt": (now + timedelta(hours=1)).isoformat(),
            "createdBy": "ann",
            "comment": "deploy",
        }
        _ask(f"{self.url}/api/v2/silences", json.dumps(body).encode())

    def silences(self) -> int:
        """Return how many silences it knows."""
        return len(json.loads(_ask(f"{self.url}/api/v2/silences")))

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, once it hears that: it answers requests a moment before it listens for signals."""
        time.sleep(1)
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, "it was killed by what should have stopped it"


class Prometheus:
    """Debian's Prometheus in front of an Alertmanager: scrapes and evaluates each second, has its defaults beside."""

    def __init__(self, folder: Path, target: Receiver, peer: Alertmanager, pages: int = 1) -> None:
        folder.mkdir()
        jobs = ", ".join(
            f"{{job_name: jobs-{page}, metrics_path: /metrics/{page}, "
            f"static_configs: [{{targets: ['127.0.0.1:{target.port}']}}]}}"
            for page in range(pages)
        )
        (folder / "rules.yml").write_text(
            "groups: [{name: jobs, rules: [{alert: down, expr: 'job_down > 0', labels: {severity: critical}}]}]\n"
        )
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
            f"rule_files: ['{folder / 'rules.yml'}']\n"
            f"scrape_configs: [{jobs}]\n"
            f"alerting: {{alertmanagers: [{{static_configs: [{{targets: ['127.0.0.1:{peer.port}']}}]}}]}}\n"
        )
        self._arguments = [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{free_port()}",
            "--log.level=error",
        ]

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(self._arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()


class Watch:
    """The greatest memory and the CPU time of a process while it is watched."""

    def __init__(self, pid: int) -> None:
        self._pid, self._ended = pid, threading.Event()
        self._cpu_began = cpu_seconds(pid)
        self.peak_mb = self.cpu = 0.0
        self._thread = threading.Thread(target=self._look, daemon=True)

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            self.peak_mb = max(self.peak_mb, resident_mb(self._pid))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._ended.set()
        self._thread.join()
        self.cpu = cpu_seconds(self._pid) - self._cpu_began


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def _ask(url: str, body: bytes | None = None) -> bytes:
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return bytes(answer.read())


def when(what: str, receiver: Receiver, count: int, seconds: float = 120.0) -> float:
    """Return when the receiver had taken so many."""
    until(what, lambda: receiver.count() >= count, seconds)
    return time.time()
