"""The agent as its users run it: a process with an environment, a folder and a port."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from tests.cli.inside import Done, sentinel

if TYPE_CHECKING:
    from tests.e2e.nursery import Forked

T = TypeVar("T")


def free_port() -> int:
    """Return a port of the loopback that nobody has, and that no connection going out is given meanwhile."""
    chance = random.SystemRandom()  # the workers of a run may share a seed
    while True:
        port = chance.randrange(10_000, 32_768)  # below Linux's ephemeral ports
        with socket.socket() as sock, suppress(OSError):
            sock.bind(("127.0.0.1", port))
            return port


def until(what: str, seen: Callable[[], T | None], seconds: float = 20.0) -> T:
    """Look again and again until something is there; an assertion names what never came."""
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        if found := seen():
            return found
        time.sleep(0.01)
    raise AssertionError(f"not seen within {seconds} s: {what}")


class AgentProcess:
    """`sentinel run` on a tree of YAML in a folder; start it, kill it, start it again."""

    def __init__(self, folder: Path, **environ: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "agent.log"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")},
            "SENTINEL_LISTEN": f"127.0.0.1:{self.port}",
            "SENTINEL_DATABASE_URL": f"sqlite:///{folder / 'sentinel.db'}",
            "SENTINEL_CONFIG": str(folder),
            "SENTINEL_NAME": "test-agent",
            "SENTINEL_LOG_FORMAT": "json",
            "NO_COLOR": "1",
            **environ,
        }
        self.process: subprocess.Popen[bytes] | Forked | None = None

    def write(self, name: str, text: str) -> Path:
        """Write one file of the tree at once, as an editor or git does: a new file, then a rename."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.draft")
        draft.write_text(text)
        draft.replace(path)
        return path

    def start(self, *, ready: bool = True) -> Self:
        """Start the process and wait until it is ready."""
        self.process = self._launch()
        if ready:
            self.wait()
        return self

    def _launch(self) -> subprocess.Popen[bytes] | Forked:
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "sentinel", "run"], env=self.environ, cwd=self.folder, stdout=log, stderr=log
            )

    def wait(self) -> None:
        """Wait until it is ready."""
        until("the agent is ready", self._ready, 60)

    @property
    def alive(self) -> bool:
        """Whether the process is there."""
        return self.process is not None and self.process.poll() is None

    def _ready(self) -> bool:
        assert self.alive, f"the agent ended: {self.logged()[-3000:]}"
        try:
            return self.get("/readyz", parse=False) is not None
        except OSError:
            return False

    def get(self, path: str, *, parse: bool = True) -> Any:
        """Ask the agent; JSON comes back parsed."""
        with urllib.request.urlopen(self.url + path, timeout=5) as answer:
            text = answer.read().decode()
        return json.loads(text) if parse else text

    def post(self, path: str, body: bytes = b"") -> int:
        """Post, and return the status."""
        request = urllib.request.Request(self.url + path, data=body, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as exc:
            return exc.code

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts of now, or nothing while the agent does not answer."""
        try:
            answer = self.get("/api/alerts")
        except OSError:
            return []
        found: list[dict[str, Any]] = answer["alerts"] if isinstance(answer, dict) else answer
        return found

    def alert(self, rule: str) -> dict[str, Any] | None:
        """Return the alert of one rule, if there is one."""
        return next((alert for alert in self.alerts() if alert["rule"] == rule), None)

    def cli(self, *arguments: str, **environ: str) -> Done:
        """Run a command of Sentinel as a user beside the agent would."""
        return sentinel(*arguments, cwd=self.folder, **{**self.environ, "SENTINEL_URL": self.url, **environ})

    def kill(self) -> None:
        """SIGKILL, and wait until it is gone."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self, seconds: float = 10.0) -> int:
        """SIGTERM; return its exit code.

        Raises:
            TimeoutExpired: it did not end in time.
        """
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)

    def logged(self) -> str:
        """Return all that it wrote to standard output and error."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""
