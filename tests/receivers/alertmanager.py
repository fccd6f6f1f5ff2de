"""Alertmanager itself: Debian's, without a cluster, with one webhook."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.e2e.process import free_port

#: Debian's package `prometheus-alertmanager`.
INSTALLED = shutil.which("prometheus-alertmanager") is not None and shutil.which("amtool") is not None

_CONFIG = """\
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers: [{{name: hook, webhook_configs: [{{url: "{hook}"}}]}}]
"""


class AlertmanagerServer:
    """The process, on a port of its own.

    Args:
        folder: for its configuration and data.
        hook: URL that it posts to.
    """

    def __init__(self, folder: Path, hook: str) -> None:
        self.url = f"http://127.0.0.1:{free_port()}"
        config = folder / "alertmanager.yml"
        config.write_text(_CONFIG.format(hook=hook))
        command = [
            *("prometheus-alertmanager", f"--config.file={config}", f"--storage.path={folder / 'data'}"),
            *(f"--web.listen-address={self.url.removeprefix('http://')}", "--cluster.listen-address="),
        ]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._await()

    def _await(self) -> None:
        ends = time.monotonic() + 20
        while time.monotonic() < ends:
            try:
                urllib.request.urlopen(f"{self.url}/-/ready").close()
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)
            else:
                return
        raise AssertionError("Alertmanager does not start")

    def alerts(self) -> list[dict[str, Any]]:
        """Return those that go on, as its API tells them."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts") as answer:
            return list(json.load(answer))

    def amtool(self, *args: str) -> str:
        """Return what `amtool` prints."""
        command = ["amtool", f"--alertmanager.url={self.url}", *args]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
