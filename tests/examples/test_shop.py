"""The shop does what its pages say, and its tree can be used."""

from __future__ import annotations

import importlib.util
import json
import sqlite3
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sentinel.config.load import load
from sentinel.probes.exposition import parse_exposition
from sentinel.probes.run import run

FOLDER = Path(__file__).parents[2] / "examples" / "shop"


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop_example", FOLDER / "shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


SHOP = _module()


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Any]:
    """Open a shop without customers and without a job of its own, on a free port."""
    opened = SHOP.Shop(0, str(tmp_path / "shop.db"), purchases_per_second=0, job_every=0)
    opened.start()
    yield opened
    opened.stop()


def ask(shop: Any, page: str, method: str = "GET") -> tuple[int, Any]:
    """Ask for a page, and return status and content."""
    request = urllib.request.Request(f"http://127.0.0.1:{shop.port}{page}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            status, body = answer.status, answer.read().decode()
    except urllib.error.HTTPError as exc:
        with exc:
            status, body = exc.code, exc.read().decode()
    return status, body if page == "/metrics" else json.loads(body)


def counted(shop: Any) -> dict[str, float]:
    """Return what /metrics counts, by name and labels."""
    samples = parse_exposition(ask(shop, "/metrics")[1])
    return {sample.name + "".join(sample.labels.values()): sample.value for sample in samples}


def test_a_purchase_is_written_and_counted(shop: Any, tmp_path: Path) -> None:
    """What the page says, the metrics and the database say too."""
    assert ask(shop, "/checkout", "POST") == (201, {"id": 1, "status": "paid"})
    assert counted(shop)["purchases_totalpaid"] == 1
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        assert connection.execute("SELECT count(*) FROM purchases WHERE status = 'paid'").fetchone() == (1,)


@pytest.mark.parametrize(("share", "failed"), [("0.03", 3), ("0.10", 10), ("1", 100)])
def test_a_share_of_payments_fails(shop: Any, share: str, failed: int) -> None:
    """Failures come evenly, so that the rule's share is the share that was asked for."""
    assert ask(shop, f"/failures/payments?share={share}", "POST") == (200, {"payments": float(share)})
    answers = [ask(shop, "/checkout", "POST")[0] for _ in range(100)]
    assert abs(answers.count(402) - failed) <= 1
    assert ask(shop, "/failures/payments", "DELETE") == (200, {})


def test_a_shop_that_is_down_can_be_opened_again(shop: Any) -> None:
    """`down` takes every page but the one that ends it."""
    assert ask(shop, "/health") == (200, {"status": "ok", "queue": {"depth": 3}})
    ask(shop, "/failures/down", "POST")
    assert [ask(shop, page)[0] for page in ("/health", "/metrics")] == [503, 503]
    assert ask(shop, "/checkout", "POST")[0] == 503
    ask(shop, "/failures/down", "DELETE")
    assert ask(shop, "/health")[0] == 200


@pytest.mark.parametrize("page", ["/failures/moon", "/nowhere"])
def test_what_is_not_there_is_404(shop: Any, page: str) -> None:
    """A typo is told."""
    assert ask(shop, page, "POST")[0] == 404


def test_a_job_without_results_finds_no_domains(shop: Any) -> None:
    """`domains` lets the job run and find nothing."""
    before = counted(shop)["domains_extracted_total"]
    assert shop.discover() == 3
    shop.switch("domains", 1.0)
    assert shop.discover() == 0
    assert counted(shop)["domains_extracted_total"] == before + 3


def test_the_job_calls_sentinel(tmp_path: Path) -> None:
    """It says when it starts, and how much it found."""
    calls: list[tuple[str, Any]] = []
    heard = threading.Event()

    class Pings(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            calls.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()
            if len(calls) == 2:
                heard.set()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Pings) as sentinel:
        thread = threading.Thread(target=sentinel.serve_forever, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{sentinel.server_address[1]}"
        shop = SHOP.Shop(0, str(tmp_path / "shop.db"), url, purchases_per_second=0, job_every=3600)
        shop.start()
        assert heard.wait(10)
        shop.stop()
        sentinel.shutdown()
        thread.join()
    assert calls == [("/ping/discovery/start", {}), ("/ping/discovery", {"items": 3})]


def test_a_scenario_plays_its_scenes_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The demonstration is over within a minute, and leaves a shop that is well."""
    scenes = SHOP.SCENARIOS["demo"]
    assert [scene.at_seconds for scene in scenes] == sorted(scene.at_seconds for scene in scenes)
    assert scenes[-1].at_seconds < 60
    assert scenes[-1].amount == 0
    assert [scene.amount for scene in scenes[1:-1]] == [0.03, 0.10]


async def test_its_probes_see_it(shop: Any, tmp_path: Path) -> None:
    """Each probe of its tree succeeds on a shop that is well, and `check` finds nothing."""
    environ = {"SHOP_URL": f"http://127.0.0.1:{shop.port}", "SHOP_DATABASE": str(tmp_path / "shop.db")}
    now = datetime(2026, 3, 1, tzinfo=UTC)
    config = load([FOLDER / name for name in ("probes", "rules", "notifiers")], environ, now)
    assert config.problems == ()
    shop.checkout()
    found: dict[str, float] = {}
    for probe in config.probes.values():
        async with probe.kind.ready() as measure:
            ended = await run(probe, measure, now + timedelta(seconds=1))
        assert ended.success, ended.words
        found |= {sample.name: sample.value for sample in ended.batch.samples}
    assert found["queue_depth"] == 3
    assert found["purchases_written"] == 1
    assert found["takings_cents"] >= 500
    assert found["up"] == 1
