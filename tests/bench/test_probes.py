"""What a look costs: HTTP probes per second on one core, and a large scrape."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta

import pytest

from sentinel.probes.http import Http
from sentinel.probes.run import run
from sentinel.probes.scrape import Scrape
from sentinel.store.head import Head
from tests.probes.looking import NOW, probe_of
from tests.probes.servers import says, served

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


async def test_a_scrape_of_eight_thousand_series() -> None:
    """Asked, parsed and stored under 150 ms of the processor, on each look after the first."""
    lines = [f'http_requests_total{{route="/api/{n}",method="GET",status="200"}} {n * 7}' for n in range(8_000)]
    body = "# TYPE http_requests_total counter\n" + "\n".join(lines) + "\n"
    async with served(says(body)) as port:
        kind = Scrape(url=f"http://127.0.0.1:{port}/metrics")
        probe, head, took = probe_of(kind, "scrape"), Head(), []
        async with kind.ready() as measure:
            for number in range(9):
                began = time.process_time()
                ended = await run(probe, measure, NOW + number * timedelta(seconds=15))
                head.append(ended.batch)
                took.append(1000 * (time.process_time() - began))
    assert len(head) > 8_000
    took = sorted(took[1:])
    print(f"\nscrape of 8,000 series, with the server's part: median {took[4]:.0f} ms, most {took[-1]:.0f} ms")
    assert took[4] < 150
