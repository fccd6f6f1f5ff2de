"""A small shop to watch: it sells, measures itself, runs a job, and fails in any way that is asked for.

    GET    /health                       {"status": "ok", "queue": {"depth": 3}}
    POST   /checkout                     one purchase: 201 paid, or 402 failed; written to SQLite
    GET    /metrics                      purchases_total{status}, tick_latency_seconds, domains_extracted_total
    GET    /failures                     which failures are on
    POST   /failures/payments?share=0.08 eight purchases of a hundred fail
    POST   /failures/latency?seconds=0.2 ticks take so much longer
    POST   /failures/down                every page but this one answers 503
    POST   /failures/jobs                the discovery job does not run
    POST   /failures/domains             it runs, and finds nothing
    DELETE /failures/payments            well again

Standard library only: `python examples/shop/shop.py --help`.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sqlite3
import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

#: What can fail, and how much it does unless the caller says so.
FAILURES = {"payments": 0.08, "latency": 0.2, "down": 1.0, "jobs": 1.0, "domains": 1.0}
#: Share of purchases that fail on a good day: cards expire.
USUAL_SHARE = 0.005
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True, slots=True)
class Scene:
    """A moment of a scenario: how much of a failure is on from then."""

    at_seconds: float
    failure: str
    amount: float
    words: str


#: What can be played, by name. `demo` is over within a minute.
SCENARIOS: dict[str, Sequence[Scene]] = {
    "none": (),
    "demo": (
        Scene(0, "payments", 0.0, "the shop is healthy"),
        Scene(8, "payments", 0.03, "3 % of payments fail"),
        Scene(22, "payments", 0.10, "10 % of payments fail"),
        Scene(38, "payments", 0.0, "payments work again"),
    ),
}


class Ledger:
    """What the shop must not forget: purchases and domains, in SQLite."""

    def __init__(self, path: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.executescript(
            """
            PRAGMA journal_mode = WAL;
            PRAGMA synchronous = NORMAL;
            CREATE TABLE IF NOT EXISTS purchases (id INTEGER PRIMARY KEY, at REAL, status TEXT, amount_cents INTEGER);
            CREATE INDEX IF NOT EXISTS purchases_status ON purchases (status, amount_cents);
            CREATE TABLE IF NOT EXISTS domains (name TEXT PRIMARY KEY, at REAL);
            """
        )
        purchases = self._connection.execute("SELECT status, count(*) FROM purchases GROUP BY status").fetchall()
        (domains,) = self._connection.execute("SELECT count(*) FROM domains").fetchone()
        # Counted once and then kept up, so that a shop of many years is not counted at each scrape.
        self.purchases: dict[str, int] = {"paid": 0, "failed": 0} | dict(purchases)
        self.domains: int = domains

    def purchase(self, status: str, amount_cents: int) -> int:
        """Write a purchase, and return its number."""
        with self._lock:
            cursor = self._connection.execute(
                "INSERT INTO purchases (at, status, amount_cents) VALUES (?, ?, ?)", (time.time(), status, amount_cents)
            )
            self.purchases[status] += 1
            return int(cursor.lastrowid or 0)

    def found(self, names: Sequence[str]) -> None:
        """Write domains that were found; one that is known is not counted again."""
        with self._lock:
            for name in names:
                cursor = self._connection.execute("INSERT OR IGNORE INTO domains VALUES (?, ?)", (name, time.time()))
                self.domains += cursor.rowcount

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


class Histogram:
    """Cumulative buckets, as Prometheus reads them."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(bounds, 0)
        self._sum, self._count = 0.0, 0

    def observe(self, seconds: float) -> None:
        """Add one observation."""
        with self._lock:
            self._sum, self._count = self._sum + seconds, self._count + 1
            for bound in self._counts:
                self._counts[bound] += seconds <= bound

    def lines(self, name: str) -> list[str]:
        """Write the histogram down."""
        with self._lock:
            buckets = [f'{name}_bucket{{le="{bound:g}"}} {count}' for bound, count in self._counts.items()]
            return [*buckets, f'{name}_bucket{{le="+Inf"}} {self._count}', f"{name}_sum {self._sum}",
                    f"{name}_count {self._count}"]  # fmt: skip


class Shop:
    """The service: start it, stop it, break it."""

    def __init__(
        self,
        port: int = 8000,
        database: str = ":memory:",
        sentinel_url: str = "",
        scenario: str = "none",
        *,
        purchases_per_second: float = 40.0,
        job_every: float = 5.0,
    ) -> None:
        self.ledger = Ledger(database)
        self.ticks = Histogram(BUCKETS)
        self.failures: dict[str, float] = {}
        self._sentinel_url = sentinel_url.rstrip("/")
        self._scenario = SCENARIOS[scenario]
        self._traffic_pause = 1 / purchases_per_second if purchases_per_second else 0.0
        self._job_every = job_every
        self._random = random.Random(7)
        self._owed_failures = 0.0
        self._till = threading.Lock()
        self._stopped = threading.Event()
        self._server = _Server(port, self)
        self.port: int = self._server.server_address[1]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Open the shop: pages, customers, ticks, the job, and the scenario."""
        works: list[Callable[[], None]] = [self._serve, self._tick, self._play]
        if self._traffic_pause:
            works.append(self._sell)
        if self._job_every:
            works.append(self._discover)
        self._threads = [threading.Thread(target=work, daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Close the shop."""
        self._stopped.set()
        if self._threads:
            self._server.shutdown()
            for thread in self._threads:
                thread.join(5)
        self._server.server_close()
        self.ledger.close()

    def checkout(self) -> tuple[int, str]:
        """Sell once: a number, and `paid` or `failed`; failures come evenly, so a share is a share in any window."""
        share = max(USUAL_SHARE, self.failures.get("payments", 0.0))
        with self._till:
            self._owed_failures += share
            status = "failed" if self._owed_failures >= 1 else "paid"
            self._owed_failures -= status == "failed"
        return self.ledger.purchase(status, self._random.randint(500, 9900)), status

    def metrics(self) -> str:
        """Write everything that is measured, in Prometheus's text format."""
        purchases = dict(self.ledger.purchases)
        lines = [
            "# HELP purchases_total Purchases by how they ended.",
            "# TYPE purchases_total counter",
            *(f'purchases_total{{status="{status}"}} {count}' for status, count in sorted(purchases.items())),
            "# HELP tick_latency_seconds From a price's arrival to its publication.",
            "# TYPE tick_latency_seconds histogram",
            *self.ticks.lines("tick_latency_seconds"),
            "# HELP domains_extracted_total Domains that the discovery job has found.",
            "# TYPE domains_extracted_total counter",
            f"domains_extracted_total {self.ledger.domains}",
        ]
        return "\n".join(lines) + "\n"

    def discover(self) -> int:
        """Run the job once, and return how many domains it found."""
        found = (
            [] if "domains" in self.failures else [f"shop-{self._random.getrandbits(48):x}.example" for _ in range(3)]
        )
        self.ledger.found(found)
        return len(found)

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.05)

    def _sell(self) -> None:
        while not self._stopped.wait(self._traffic_pause):
            if "down" not in self.failures:
                self.checkout()

    def _tick(self) -> None:
        while not self._stopped.wait(0.05):
            self.ticks.observe(self._random.uniform(0.004, 0.02) + self.failures.get("latency", 0.0))

    def _discover(self) -> None:
        while not self._stopped.is_set():
            if "jobs" not in self.failures and "down" not in self.failures:
                self._ping("/start")
                self._ping("", {"items": self.discover()})
            self._stopped.wait(self._job_every)

    def _ping(self, word: str, body: dict[str, Any] | None = None) -> None:
        if not self._sentinel_url:
            return
        content = json.dumps(body or {}).encode()
        # A job goes on when its watcher is away.
        with (
            suppress(OSError),
            urllib.request.urlopen(f"{self._sentinel_url}/ping/discovery{word}", content, timeout=2),
        ):
            pass

    def _play(self) -> None:
        began = time.monotonic()
        for scene in self._scenario:
            if self._stopped.wait(max(0.0, began + scene.at_seconds - time.monotonic())):
                return
            self.switch(scene.failure, scene.amount)
            print(f"shop {scene.at_seconds:3.0f} s  {scene.words}", flush=True)

    def switch(self, failure: str, amount: float) -> None:
        """Switch a failure on, or with 0 off."""
        self.failures = {name: share for name, share in self.failures.items() if name != failure} | (
            {failure: amount} if amount else {}
        )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, shop: Shop) -> None:
        super().__init__(("127.0.0.1", port), _Pages)
        self.shop = shop


class _Pages(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        match urlsplit(self.path).path:
            case "/failures":
                self._answer(200, self.server.shop.failures)
            case _ if "down" in self.server.shop.failures:
                self._answer(503, {"status": "down"})
            case "/health":
                self._answer(200, {"status": "ok", "queue": {"depth": 3}})
            case "/metrics":
                self._answer(200, self.server.shop.metrics())
            case _:
                self._answer(404, {"error": "no such page"})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        url = urlsplit(self.path)
        if url.path.startswith("/failures/"):
            self._switch(url.path.removeprefix("/failures/"), parse_qs(url.query))
        elif "down" in self.server.shop.failures:
            self._answer(503, {"status": "down"})
        elif url.path == "/checkout":
            number, status = self.server.shop.checkout()
            self._answer(201 if status == "paid" else 402, {"id": number, "status": status})
        else:
            self._answer(404, {"error": "no such page"})

    def do_DELETE(self) -> None:
        self._switch(urlsplit(self.path).path.removeprefix("/failures/"), {"share": ["0"]})

    def _switch(self, failure: str, query: dict[str, list[str]]) -> None:
        if failure not in FAILURES:
            self._answer(404, {"error": f"no such failure; there are {', '.join(FAILURES)}"})
            return
        try:
            given = (query.get("share") or query.get("seconds") or [str(FAILURES[failure])])[0]
            self.server.shop.switch(failure, float(given))
        except ValueError:
            self._answer(400, {"error": "share or seconds should be a number"})
        else:
            self._answer(200, self.server.shop.failures)

    def _answer(self, status: int, content: str | dict[str, Any]) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        body = text.encode()
        self.send_response(status)
        kind = "text/plain; version=0.0.4; charset=utf-8" if isinstance(content, str) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        """Say nothing of each request."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Open the shop until somebody closes it."""
    parser = argparse.ArgumentParser(description="A small shop to watch.")
    parser.add_argument("--port", type=int, default=8000, help="0 takes a free one")
    parser.add_argument("--database", default="shop.db", help="file of SQLite")
    parser.add_argument("--sentinel-url", default="http://127.0.0.1:9160", help="whom the job pings; empty: nobody")
    parser.add_argument("--scenario", choices=sorted(SCENARIOS), default="none")
    parser.add_argument("--job-every", type=float, default=5.0, metavar="SECONDS")
    given = parser.parse_args(arguments)
    shop = Shop(given.port, given.database, given.sentinel_url, given.scenario, job_every=given.job_every)
    closing = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: closing.set())
    shop.start()
    print(f"shop listens on http://127.0.0.1:{shop.port}", flush=True)
    closing.wait()
    shop.stop()


if __name__ == "__main__":
    main()
