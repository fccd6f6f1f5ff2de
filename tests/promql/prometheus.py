"""A real Prometheus over samples of ours, for comparing answers and speed."""

from __future__ import annotations

import http.client
import json
import shutil
import struct
import subprocess
import time
import urllib.parse
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sentinel.core.labels import NAME, Labels
from tests.e2e.process import free_port

Samples = Mapping[Labels, list[tuple[int, float]]]

#: Debian's package is the 2.42 that the tests know the peculiarities of.
INSTALLED = shutil.which("prometheus") is not None and shutil.which("promtool") is not None


def write_blocks(samples: Samples, folder: Path) -> None:
    """Write samples as blocks of Prometheus's own storage."""
    text = folder / "samples.om"
    with text.open("w", encoding="utf-8") as out:
        for labels, series in samples.items():
            inner = ",".join(f'{name}="{value}"' for name, value in labels if name != NAME)
            out.writelines(f"{labels.name}{{{inner}}} {value!r} {ts / 1000:.3f}\n" for ts, value in series)
        out.write("# EOF\n")
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")],
        check=True,
        capture_output=True,
    )


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Api]:
    """Run Prometheus over the blocks in a folder until the end of the context."""
    port = free_port()
    (folder / "prometheus.yml").write_text("global: {}\n", encoding="utf-8")
    process = subprocess.Popen(
        [
            "prometheus",
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
            *flags,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with closing(Api(port)) as api:
            api.wait()
            yield api
    finally:
        process.terminate()
        process.wait(20)


def latest(answer: dict[str, Any]) -> dict[Labels, float]:
    """Return the values of an answer at one instant."""
    return {Labels.of(one["metric"]): float(one["value"][1]) for one in answer["data"]["result"]}


def _series(labels: Labels, series: list[tuple[int, float]]) -> bytes:
    pairs = (_field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in labels)
    samples = (_field(2, struct.pack("<Bd", 9, value) + b"\x10" + _number(ts)) for ts, value in series)
    return b"".join([*pairs, *samples])


def _field(number: int, content: bytes) -> bytes:
    """Return a field of protobuf that has a length."""
    return bytes([number << 3 | 2]) + _number(len(content)) + content


def _number(value: int) -> bytes:
    """Return a number as protobuf and Snappy write it: seven bits a byte."""
    head = b""
    while value > 127:
        head += bytes([value & 127 | 128])
        value >>= 7
    return head + bytes([value])


def _snappy(text: bytes) -> bytes:
    """Return a text as Snappy may write it: literally."""
    parts = (text[at : at + 65_536] for at in range(0, len(text), 65_536))
    return _number(len(text)) + b"".join(struct.pack("<BH", 61 << 2, len(part) - 1) + part for part in parts)


class Api:
    """Prometheus's HTTP API, as far as the tests ask it."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def wait(self) -> None:
        """Wait until it answers."""
        patience = time.monotonic() + 30
        while True:
            try:
                self._connection.request("GET", "/-/ready")
                if self._connection.getresponse().read().startswith(b"Prometheus Server is Ready"):
                    return
            except OSError:
                self._connection.close()
            assert time.monotonic() < patience, "Prometheus does not become ready"
            time.sleep(0.05)

    def write(self, samples: Samples) -> None:
        """Write samples, as its remote write protocol does; it must run with `--web.enable-remote-write-receiver`."""
        body = b"".join(_field(1, _series(labels, series)) for labels, series in samples.items())
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        self._connection.request("POST", "/api/v1/write", _snappy(body), headers)
        answer = self._connection.getresponse()
        text = answer.read()
        assert answer.status == 204, text

    def query(self, expr: str, at_ms: int, **more: str) -> dict[str, Any]:
        """Ask at one instant."""
        return self._post("query", {"query": expr, "time": f"{at_ms / 1000:.3f}", **more})

    def query_range(self, expr: str, start_ms: int, end_ms: int, step_ms: int, **more: str) -> dict[str, Any]:
        """Ask for a range."""
        bounds = {"start": start_ms, "end": end_ms, "step": step_ms}
        return self._post("query_range", {"query": expr, **{k: f"{v / 1000:.3f}" for k, v in bounds.items()}, **more})

    def _post(self, path: str, fields: dict[str, str]) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self._connection.request("POST", f"/api/v1/{path}", urllib.parse.urlencode(fields), headers)
        answer: dict[str, Any] = json.loads(self._connection.getresponse().read())
        return answer
