"""The HTTP API, request by request beside a real Prometheus that holds the same samples."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import httpx
import pytest

from sentinel.core.clock import from_ms, to_ms
from sentinel.core.labels import NAME, Labels
from sentinel.core.sample import Batch, Sample
from tests.promql.prometheus import INSTALLED, Samples, running, write_blocks
from tests.web.conftest import House, Start

_MINUTES, _EVERY_MS = 100, 15_000
_ODD = (0.1, -0.0, 1e-7, 1.5e-6, 123456789.125, 1e16, 1.2345e18, 1e21, 1e300, 5e-324, math.inf, -math.inf, math.nan)

Given = Mapping[str, str | list[str]]
Asked = tuple[str, Given]

#: Path and parameters; `{start}` and `{end}` are the bounds of the samples in Unix seconds, `{middle}` lies between.
_WELL: list[Asked] = [
    *(
        ("query", {"query": text, "time": "{end}"})
        for text in (
            "m_total",
            "odd",
            "gone",
            '{job=~"a|ü",inst!="1"}',
            "m_total[1m]",
            "odd offset 5m",
            "nothing",
            "1e-7 * 1e-3",
            "vector(1e-10)",
            "vector(1e21)",
            "1e300",
            "1/0",
            "-1/0",
            "0/0",
            "'a \"text\" \\n ü'",
            "time()",
            "sum by (job) (rate(m_total[5m]))",
            "sort_desc(gauge)",
            "histogram_quantile(0.9, sum by (le, job) (rate(lat_bucket[5m])))",
            "gauge > bool 0",
            "m_total + on (job, inst) group_left () gauge",
            "max_over_time(gauge[10m:30s])",
            "count_values('v', odd)",
            "absent(nothing{a='b'})",
            "label_replace(gauge, 'x', '$1', 'inst', '(.*)')",
        )
    ),
    ("query", {"query": "gauge", "time": "{middle}.5", "timeout": "5s"}),
    ("query", {"query": "gauge", "time": "1700000000"}),
    ("query", {"query": "1", "time": "2026-11-22T04:00:00.123456+02:00"}),
    ("query", {"query": "1", "time": "-5", "timeout": "1.5"}),
    ("query", {"query": "1", "time": "12.0625"}),
    *(
        ("query_range", {"query": text, "start": "{start}", "end": "{end}", "step": step})
        for text, step in (
            ("m_total", "60"),
            ("odd", "61.5"),
            ("gone", "1m"),
            ("rate(m_total[5m])", "30"),
            ("time()", "2m"),
            ("sum by (job) (gauge)", "1m30s"),
            ("nothing", "60"),
            ("gauge > 0", "45"),
            ("scalar(gauge{job='a',inst='1'})", "1e2"),
        )
    ),
    ("query_range", {"query": "gauge", "start": "{middle}", "end": "{middle}", "step": "1"}),
    ("query_range", {"query": "vector(1)", "start": "0", "end": "11000", "step": "1"}),
    ("series", {"match[]": "m_total"}),
    ("series", {"match[]": ["m_total", '{job="ü"}', "nothing"], "start": "{start}", "end": "{end}"}),
    ("series", {"match[]": '{__name__=~"lat.*",le="+Inf"}'}),
    ("series", {"match[]": "m_total", "start": "10", "end": "5"}),
    ("series", {"match[]": "m_total", "start": "10", "end": "50"}),
    (
        "series",
        {"match[]": "gone", "start": "-292273086-05-16T16:47:06Z", "end": "292277025-08-18T07:12:54.999999999Z"},
    ),
    ("labels", {"match[]": "m_total"}),
    ("labels", {"match[]": ["odd", "gauge"]}),
    ("labels", {"match[]": "gauge", "start": "10", "end": "50"}),
    ("label/job/values", {"match[]": "m_total"}),
    ("label/le/values", {}),
    ("label/__name__/values", {"match[]": '{job=~"a|ü"}'}),
    ("label/nothing/values", {}),
    ("query_exemplars", {"query": "m_total", "start": "{start}", "end": "{end}"}),
]

_WRONG: list[Asked] = [
    ("query", {}),
    ("query", {"query": "up{"}),
    ("query", {"query": "sum(up) by (job"}),
    ("query", {"query": "1 +\n  foo(1)"}),
    ("query", {"query": "rate(up)"}),
    ("query", {"query": "1", "time": "abc"}),
    ("query", {"query": "1", "time": "2026-13-01T00:00:00Z"}),
    ("query", {"query": "1", "timeout": "abc"}),
    ("query", {"query": "gauge", "timeout": "0"}),
    ("query", {"query": "label_replace(gauge, 'a', '', 'b', '(')", "time": "{end}"}),
    ("query", {"query": "gauge + on (zone) m_total", "time": "{end}"}),
    ("query_range", {"query": "1"}),
    ("query_range", {"query": "1", "start": "1", "end": "x", "step": "1"}),
    ("query_range", {"query": "1", "start": "1", "end": "0", "step": "1"}),
    ("query_range", {"query": "1", "start": "1", "end": "2"}),
    ("query_range", {"query": "1", "start": "1", "end": "2", "step": "abc"}),
    ("query_range", {"query": "1", "start": "1", "end": "2", "step": "0"}),
    ("query_range", {"query": "1", "start": "1", "end": "2", "step": "-1"}),
    ("query_range", {"query": "1", "start": "0", "end": "11001", "step": "1"}),
    ("query_range", {"query": "up[5m]", "start": "0", "end": "1", "step": "1"}),
    ("query_range", {"query": "'a'", "start": "0", "end": "1", "step": "1"}),
    ("series", {}),
    ("series", {"match[]": "up["}),
    ("series", {"match[]": "{}"}),
    ("series", {"match[]": "up", "start": "abc"}),
    ("labels", {"match[]": "foo("}),
    ("labels", {"end": "abc"}),
    ("label/job/values", {"match[]": "{}"}),
    ("query_exemplars", {"query": "up{"}),
    ("rules", {"type": "foo"}),
]
#: Words in which 2.42 says it otherwise than we or 3.x do; kind and status are the same.
_OTHER_WORDS = ("timed out", "regular expression", "duplicate series", "many-to-many")


def _samples(begin_ms: int) -> Iterator[tuple[Labels, list[tuple[int, float]]]]:
    """Counters with resets, gauges, odd numbers, a histogram, a series that ends early."""
    chance = random.Random(7)
    times = range(begin_ms, begin_ms + _MINUTES * 60_000, _EVERY_MS)
    for job in ("a", "ü"):
        for inst in ("1", "2", "a b"):
            counts = [float(i * 3 % 200) for i in range(len(times))]
            yield Labels.of(__name__="m_total", job=job, inst=inst), list(zip(times, counts, strict=True))
            values = [chance.gauss(0, 10) for _ in times]
            yield Labels.of(__name__="gauge", job=job, inst=inst), list(zip(times, values, strict=True))
        for place, bound in enumerate(("0.1", "1", "+Inf"), start=1):
            counts = [float(i * place * 2) for i in range(len(times))]
            yield Labels.of(__name__="lat_bucket", job=job, le=bound), list(zip(times, counts, strict=True))
    for place, number in enumerate(_ODD):
        yield Labels.of(__name__="odd", at=f"{place:02d}"), [(ts, number) for ts in times]
    yield Labels.of(__name__="gone", job="a"), [(ts, 1.0) for ts in times[:60]]


async def _fill(house: House, samples: Samples) -> None:
    """Let the samples arrive look by look, as they would have."""
    by_time: dict[int, list[Sample]] = {}
    for labels, rows in samples.items():
        for ts, value in rows:
            by_time.setdefault(ts, []).append(Sample(labels.name, value, dict(labels.without(NAME))))
    for ts, found in sorted(by_time.items()):
        every = timedelta(milliseconds=_EVERY_MS)
        house.agent.desk.arrive(Batch("test", tuple(found), from_ms(ts), every, whole=False))
    last = f"{max(by_time) / 1000:.3f}"
    for _ in range(500):
        answer = await house.client.get("/api/v1/query", params={"query": "gauge", "time": last})
        if len(answer.json()["data"]["result"]) == 6:
            return
    raise AssertionError("the samples never arrived")


def _filled(given: Given, bounds: dict[str, int]) -> Given:
    def fill(text: str) -> str:
        for name, seconds in bounds.items():
            text = text.replace(f"{{{name}}}", str(seconds))
        return text

    return {name: fill(text) if isinstance(text, str) else [fill(one) for one in text] for name, text in given.items()}


def _same_number(one: str, other: str) -> bool:
    """Say whether two numbers are the same and written alike, or differ in their last digits only."""
    a, b = float(one), float(other)
    if a == b or (math.isnan(a) and math.isnan(b)):
        return one == other
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b))


def _same(one: Any, other: Any) -> bool:
    """Compare two answers field by field."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, str) and isinstance(other, str) and one != other:
        try:
            return _same_number(one, other)
        except ValueError:
            return False
    return bool(one == other)


def _ordered(answer: Any, query: str) -> Any:
    """Bring an instant vector, whose order means nothing unless it was sorted, into one order."""
    data = answer.get("data")
    if isinstance(data, dict) and data.get("resultType") == "vector" and "sort" not in query:
        data["result"].sort(key=lambda row: sorted(row["metric"].items()))
    return answer


async def _ask(client: httpx.AsyncClient, url: str, path: str, given: Given, method: str) -> httpx.Response:
    where = f"{url}/api/v1/{path}"
    if method == "POST":
        return await client.post(where, data=given)
    return await client.get(where, params=given)


@pytest.mark.skipif(not INSTALLED, reason="prometheus and promtool are not installed")
@pytest.mark.timeout(180)
async def test_each_answer_is_prometheus_own(start: Start, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Status, content type, every field, the order of series and the way in which numbers are written."""
    async with start() as house, httpx.AsyncClient() as client:
        begin_ms = (to_ms(house.agent.clock.now()) // 60_000 - _MINUTES - 1) * 60_000 + 250
        samples = dict(_samples(begin_ms))
        await _fill(house, samples)
        folder = tmp_path_factory.mktemp("prometheus")
        write_blocks(samples, folder)
        first = begin_ms // 1000
        bounds = {"start": first + 5, "end": first + _MINUTES * 60 - 5, "middle": first + _MINUTES * 30}
        differences = []
        with running(folder) as api:
            for path, given in [*_WELL, *_WRONG]:
                asked = _filled(given, bounds)
                methods = ("GET", "POST") if path.startswith(("query", "series", "labels")) else ("GET",)
                for method in methods:
                    theirs = await _ask(client, api.url, path, asked, method)
                    ours = await _ask(house.client, "http://127.0.0.1:9160", path, asked, method)
                    if found := _difference(theirs, ours, str(given.get("query", ""))):
                        differences.append(f"{method} {path} {asked}\n{found}")
        assert not differences, f"{len(differences)}\n" + "\n".join(differences)


def _difference(theirs: httpx.Response, ours: httpx.Response, query: str) -> str:
    """Say what differs, "" if nothing does."""
    both = f"    they {theirs.status_code} {theirs.text[:1500]}\n    we   {ours.status_code} {ours.text[:1500]}"
    if (theirs.status_code, theirs.headers["content-type"]) != (ours.status_code, ours.headers["content-type"]):
        return both
    expected, found = (_ordered(_plain(answer.json()), query) for answer in (theirs, ours))
    return "" if _same(expected, found) else both


def _plain(answer: Any) -> Any:
    """Reduce an error's words to what 2.42 and we have in common: of what does not parse, the place."""
    if "error" in answer:
        words = (
            answer["error"].removeprefix('invalid parameter "match[]": ').removeprefix('invalid parameter "query": ')
        )
        place, parse_error, _ = words.partition(": parse error")
        other = any(each in words for each in _OTHER_WORDS)
        # Of what is not closed Prometheus names the end of the text, and we the place where it was opened.
        unclosed = "end of input" in words or "unclosed" in words
        answer["error"] = ("unclosed" if unclosed else place) if parse_error else "" if other else words
    return answer
