"""A real VictoriaMetrics, and what stands for a server that is not well."""

from __future__ import annotations

import shutil
import subprocess
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sentinel.store.jsonlines import write_line
from sentinel.store.stretch import Stretch
from tests.e2e.process import free_port, until

INSTALLED = shutil.which("victoria-metrics") is not None


@contextmanager
def victoria(folder: Path, stretches: Sequence[Stretch]) -> Iterator[str]:
    """Run VictoriaMetrics with these samples, imported as `sentinel db export` writes them; yield its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    process = subprocess.Popen(
        [
            "victoria-metrics",
            f"-storageDataPath={folder / 'victoria'}",
            f"-httpListenAddr=127.0.0.1:{port}",
            "-retentionPeriod=100y",
            "-memory.allowedBytes=64MB",
            "-loggerLevel=ERROR",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        until("VictoriaMetrics answers", lambda: _answers(f"{url}/health"))
        body = "\n".join(map(write_line, stretches)).encode()
        urllib.request.urlopen(f"{url}/api/v1/import", body, timeout=20).close()
        urllib.request.urlopen(f"{url}/internal/force_flush", timeout=20).close()
        yield url
    finally:
        process.kill()
        process.wait(20)


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=1).close()
    except OSError:
        return False
    return True
