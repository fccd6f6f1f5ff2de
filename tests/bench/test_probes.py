"""What a look costs: HTTP probes per second on one core."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from sentinel.probes.http import Http
from sentinel.probes.run import run
from tests.probes.looking import NOW, probe_of

pytestmark = pytest.mark.bench

#: A server that costs next to nothing, in a process of its own.
SERVER = """
import asyncio

class Quick(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
    def data_received(self, data):
        self.transport.write(b'HTTP/1.1 200 OK\\r\\nContent-Length: 15\\r\\n\\r\\n{"status":"ok"}')

async def main():
    server = await asyncio.get_running_loop().create_server(Quick, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"""


async def test_http_looks_per_second() -> None:
    """At least 400 on one core, keep-alive, with an expectation of JSON; by the processor's time."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}/"
        kind = Http.model_validate({"url": url, "expect": {"json": {"status": "ok"}}})
        async with kind.ready() as measure:
            probe = probe_of(kind)
            assert (await run(probe, measure, NOW)).success
            began, count = time.process_time(), 2_000
            for _ in range(count):
                await run(probe, measure, NOW)
            per_second = count / (time.process_time() - began)
        server.kill()
    print(f"\nhttp looks per second of one core: {per_second:,.0f}")
    assert per_second >= 400
