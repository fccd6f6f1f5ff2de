"""The kind `scrape` against real servers, good and bad."""

from __future__ import annotations

import asyncio

import pytest

from sentinel.probes.run import run
from sentinel.probes.scrape import SAMPLE_LIMIT, Scrape
from tests.probes import servers
from tests.probes.looking import NOW, look, probe_of, value
from tests.probes.servers import Behaviour, says, served

TEXT = '# TYPE purchases_total counter\npurchases_total{status="paid",job="till",instance="7"} 3\nup 0\ndepth 2\n'


async def test_samples_carry_job_and_instance() -> None:
    """A target's own `job` and `instance` become `exported_…`, and the run's verdict carries `probe`."""
    async with served(says(TEXT)) as port:
        ended = await look(Scrape(url=f"http://127.0.0.1:{port}/metrics"), env="test")
    assert ended.success, ended.words
    ours = {"job": "shop", "instance": f"127.0.0.1:{port}", "env": "test"}
    sold = next(sample for sample in ended.batch.samples if sample.name == "purchases_total")
    assert dict(sold.labels) == {**ours, "status": "paid", "exported_job": "till", "exported_instance": "7"}
    assert sold.counter
    assert value(ended, "depth", **ours) == 2
    assert value(ended, "probe_success", probe="shop") == 1
    assert value(ended, "scrape_samples_scraped") == 3
    assert ended.batch.whole
    assert ended.batch.counters_from_zero


async def test_up_is_one_or_nought() -> None:
    """A target that is read is up, one that is not is down; its series are not said to be gone."""
    async with served(says("depth 2\n")) as port:
        kind = Scrape(url=f"http://127.0.0.1:{port}/metrics")
        assert value(await look(kind), "up", job="shop") == 1
    ended = await look(kind)
    assert value(ended, "up", job="shop") == 0
    assert value(ended, "probe_failure", reason="connect", probe="shop") == 1
    assert not ended.batch.whole


async def test_openmetrics_is_asked_for_and_read_by_its_content_type() -> None:
    """The answer's type decides how it is read."""
    asked: list[bytes] = []

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        asked.append(request)
        kind = {"Content-Type": "application/openmetrics-text; version=1.0.0; charset=utf-8"}
        text = "# TYPE a counter\na_total 1 1772366400.5\na_created 5\n# EOF\n"
        await says(text, headers=kind)(request, writer)

    async with served(answer) as port:
        ended = await look(Scrape(url=f"http://127.0.0.1:{port}/metrics"))
    assert ended.success, ended.words
    sample = next(sample for sample in ended.batch.samples if sample.name == "a_total")
    assert (sample.name, sample.counter, sample.created) == ("a_total", True, 5)
    assert sample.time is not None
    assert sample.time.microsecond == 500_000
    assert b"accept: application/openmetrics-text" in asked[0].lower()
    assert b"x-prometheus-scrape-timeout-seconds: 5" in asked[0].lower()


@pytest.mark.parametrize(
    ("behaviour", "reason", "words"),
    [
        (says("no", 500), "status", 'status is 500, expected 200: "no"'),
        (says("no", 401), "auth", "status is 401"),
        (says("<html>", headers={"Content-Type": "text/html"}), "expect", "content type is text/html, expected text/p"),
        (says("a\n"), "expect", "line 1: expected a value"),
        (says(b'a{b="\xff"} 1\n'), "expect", "line 1: byte 0xff is not UTF-8"),
        (says("a 1\n", headers={"Content-Type": "application/openmetrics-text"}), "expect", "cut off"),
        (says("".join(f"a{n} 1\n" for n in range(SAMPLE_LIMIT + 1))), "expect", "100,001 samples are more than"),
        (servers.never_ends, "expect", "body is longer than 32,768 KiB"),
        (servers.hangs, "timeout", "waiting for its answer"),
    ],
    ids=["500", "401", "html", "syntax", "utf-8", "cut off", "too many", "endless", "hangs"],
)
async def test_a_bad_target_fails_with_reason_and_words(behaviour: Behaviour, reason: str, words: str) -> None:
    """Whatever a target shows, the look ends as data."""
    async with served(behaviour) as port:
        kind = Scrape(url=f"http://127.0.0.1:{port}/metrics")
        ended = await look(kind, timeout=0.5 if reason == "timeout" else 20)
    assert (ended.reason, ended.success) == (reason, False)
    assert words in ended.words
    assert value(ended, "up") == 0


async def test_a_large_target_is_read_again_and_again() -> None:
    """Eight thousand series, the same each time."""
    text = "".join(f'requests_total{{path="/items/{n}",code="200"}} {n}\n' for n in range(8000))
    async with served(says(text)) as port:
        kind = Scrape(url=f"http://127.0.0.1:{port}/metrics")
        async with kind.ready() as measure:
            first, second = [await run(probe_of(kind), measure, NOW) for _ in range(2)]
    assert value(first, "scrape_samples_scraped") == value(second, "scrape_samples_scraped") == 8000
    series = [[(s.name, dict(s.labels)) for s in ended.batch.samples[2:8002]] for ended in (first, second)]
    assert series[0] == series[1]
