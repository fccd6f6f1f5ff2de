"""Remote: expressions over samples of a real Prometheus and a real VictoriaMetrics give what they give over our own."""

from __future__ import annotations

import math
import random
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.core.windows import Source, is_stale
from sentinel.promql.evaluate import evaluate, evaluate_instant
from sentinel.promql.parser import parse
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.offline import opened
from sentinel.store.openmetrics import END, write_lines
from sentinel.store.remote import Remote, RemoteUnavailable, Server
from sentinel.store.restore import look_into
from sentinel.store.stretch import Stretch
from tests.promql import prometheus
from tests.receivers.http import Answer, HttpReceiver, Request
from tests.store import servers
from tests.store.kit import START_MS, at, named

#: Nothing lies on the border of a window: Prometheus before 3.0 takes its first instant in, and we do not.
NOW_MS = START_MS + 7_200_000 + 1
EVERY_MS = 15_000
EXPRESSIONS = [
    "sold_total",
    "depth",
    'depth{zone!="a"}',
    "rate(sold_total[5m])",
    "sum by (zone) (increase(sold_total[1h]))",
    "increase(sold_total[1h] anchored)",
    "max_over_time(depth[10m])",
    "quantile_over_time(0.9, depth[10m])",
    "depth offset 5m",
    "depth - depth offset 1h",
    "avg_over_time(depth[10m:1m])",
    "nothing",
    "absent(nothing)",
]

pytestmark = pytest.mark.timeout(120)


def history() -> list[Stretch]:
    """Return two hours of counters with resets, and of gauges."""
    numbers = random.Random(3)
    found = []
    for zone in ("a", "b", 'c "d" \\ é'):
        ts = START_MS + np.arange(480) * EVERY_MS
        total, counted = 0.0, []
        for _ in ts:
            total = 0.0 if numbers.random() < 0.01 else total + numbers.randrange(5)
            counted.append(total)
        found.append(Stretch(Labels.of(__name__="sold_total", zone=zone), ts, np.array(counted)))
        depth = np.array([round(numbers.gauss(50, 20), 2) for _ in ts])
        found.append(Stretch(Labels.of(__name__="depth", zone=zone), ts, depth))
    return found


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """The samples in a database of ours."""
    url = f"sqlite:///{tmp_path_factory.mktemp('own') / 'sentinel.db'}"
    with opened(url, at(8000), timedelta(days=35)) as take:
        take(history())
    database = Database.open(url, read_only=True)
    yield History(database, look_into(database, at(8000)).head).reader()
    database.close()


@pytest.fixture(scope="module", params=["prometheus", "victoria-metrics"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The same samples in a real server."""
    folder: Path = tmp_path_factory.mktemp(request.param)
    if request.param == "prometheus":
        if not prometheus.INSTALLED:
            pytest.skip("prometheus and promtool are not installed")
        text = folder / "samples.om"
        text.write_text("\n".join([line for one in history() for line in write_lines(one)] + [END, ""]))
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(text), str(folder / "data")]
        subprocess.run(command, check=True, capture_output=True)
        with prometheus.running(folder) as api:
            yield api.url
    else:
        if not servers.INSTALLED:
            pytest.skip("victoria-metrics is not installed")
        with servers.victoria(folder, history()) as found:
            yield found


def server(url: str, seconds: float = 20.0) -> Server:
    """Return how a server is asked."""
    return Server("metrics", url, timedelta(seconds=seconds), {"Authorization": "Bearer s3cret"})


def answer(text: str, source: Source, at_ms: int) -> dict[Labels, float]:
    """Evaluate at one instant."""
    return dict(evaluate_instant(parse(text), source, at_ms).latest())


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_a_rule_is_told_the_same(text: str, own: Source, url: str) -> None:
    """At an instant at which all is there, and at one before anything was."""
    for at_ms in (NOW_MS, START_MS + 1_800_007, START_MS - 1):
        with Remote(server(url)) as source:
            found = answer(text, source, at_ms)
        expected = answer(text, own, at_ms)
        assert found.keys() == expected.keys()
        for labels, value in expected.items():
            assert math.isclose(found[labels], value, rel_tol=1e-9, abs_tol=1e-9), (labels, found[labels], value)


@pytest.mark.parametrize("text", ["depth", "rate(sold_total[5m])", "sum(depth)"])
def test_a_replay_is_told_the_same(text: str, own: Source, url: str) -> None:
    """At each step of a range."""
    with Remote(server(url)) as source:
        found = evaluate(parse(text), source, START_MS + 1, NOW_MS, 60_000)
    expected = evaluate(parse(text), own, START_MS + 1, NOW_MS, 60_000)
    assert list(found.labels) == list(expected.labels)
    assert (found.present == expected.present).all()
    assert np.allclose(found.values[found.present], expected.values[expected.present], rtol=1e-9)


class Broken(HttpReceiver):
    """A server that answers as a test says."""

    def answer(self, request: Request) -> tuple[int, dict[str, str], object]:
        """Answer that there is nothing."""
        return 200, {}, {"status": "success", "data": {"resultType": "matrix", "result": []}}


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Answer(status=401, body="no"), "metrics (127.0.0.1) answers 401: it wants a login"),
        (Answer(status=403, body="{}"), "answers 403: we may not ask"),
        (Answer(status=200, body="<html>"), "answers 200, and not in Prometheus's words"),
        (
            Answer(status=422, body='{"status":"error","errorType":"execution","error":"too many samples"}'),
            "answers 422: too many samples",
        ),
        (
            Answer(status=200, body='{"status":"success","isPartial":true,"data":{"resultType":"matrix","result":[]}}'),
            "answers in part only",
        ),
        (
            Answer(status=200, body='{"status":"success","data":{"resultType":"vector","result":[]}}'),
            "answers with a vector where a matrix was asked for",
        ),
        (Answer(close=True), "cannot be asked: "),
        (Answer(hang=True), "did not answer within 0.3 s"),
    ],
)
def test_why_a_server_does_not_answer_is_said(given: Answer, says: str) -> None:
    """With its name and host, and without what is secret."""
    with Broken() as broken:
        broken.always = given
        url = f"http://ann:s3cret@127.0.0.1:{broken.port}"
        with Remote(server(url, 0.3 if given.hang else 30.0)) as source, pytest.raises(RemoteUnavailable) as refused:
            answer("up", source, NOW_MS)
        assert says in str(refused.value)
        assert "s3cret" not in str(refused.value)
    with Remote(server(url)) as source, pytest.raises(QueryInvalid, match="cannot be asked"):
        answer("up", source, NOW_MS)


def test_one_evaluation_asks_each_thing_once() -> None:
    """So all of it is of one state; and afterwards what was asked is still known."""
    with Broken() as broken:
        with Remote(server(broken.url)) as source:
            assert answer("up + up", source, NOW_MS) == {}
        assert len(broken.requests) == 1
        assert "time=1767232800.001" in broken.requests[0].path
        assert broken.requests[0].headers["Authorization"] == "Bearer s3cret"
        assert answer("up", source, NOW_MS) == {}
        with pytest.raises(RemoteUnavailable):
            answer("down", source, NOW_MS)


class Ended(HttpReceiver):
    """A server with a series that ended: its samples are there, and it has no newest value."""

    def answer(self, request: Request) -> tuple[int, dict[str, str], object]:
        """Answer for two series, one of which has ended."""
        points = [[(NOW_MS - age) / 1000, "1"] for age in (90_000, 60_000, 30_000)]
        if "[" in parse_qs(urlsplit(request.path).query)["query"][0]:
            result = [{"metric": {"__name__": "up", "job": job}, "values": points} for job in ("gone", "there")]
            return 200, {}, {"status": "success", "data": {"resultType": "matrix", "result": result}}
        there = [{"metric": {"__name__": "up", "job": "there"}, "value": points[-1]}]
        return 200, {}, {"status": "success", "data": {"resultType": "vector", "result": there}}


def test_a_series_that_ended_there_has_ended_here() -> None:
    """The API tells of no stale marker; that the server has no value although samples would count tells as much."""
    with Ended() as ended, Remote(server(ended.url)) as source:
        assert [labels.get("job") for labels in answer("up", source, NOW_MS)] == ["there"]
        counted = answer("count_over_time(up[5m])", source, NOW_MS)
        assert sorted((labels.get("job"), value) for labels, value in counted.items()) == [("gone", 3), ("there", 3)]
        windows = source.windows(named("up"), np.array([NOW_MS]), 300_000)
        assert is_stale(windows.v[windows.hi[:, 0] - 1]).tolist() == [True, False]
