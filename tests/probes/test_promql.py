"""The kind `promql` against servers, good and bad; against real ones stands what reads history from them."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sentinel.probes.promql import Promql
from tests.probes.looking import look, value
from tests.probes.servers import says, served


def said(kind: str, result: object) -> str:
    """Return an answer as Prometheus gives it."""
    return json.dumps({"status": "success", "data": {"resultType": kind, "result": result}})


def vector(*elements: tuple[dict[str, str], str]) -> str:
    """Return an instant vector."""
    return said("vector", [{"metric": metric, "value": [1772366400, text]} for metric, text in elements])


async def test_each_element_is_a_sample_with_its_labels() -> None:
    """Under the name that YAML gives it; a label of the probe's goes before one of the element's."""
    body = vector(({"__name__": "up", "job": "a", "probe": "x"}, "1"), ({"__name__": "up", "job": "b"}, "NaN"))
    async with served(says(body)) as port:
        ended = await look(Promql(url=f"http://127.0.0.1:{port}/", metrics={"targets_up": "up"}), env="test")
    assert ended.success, ended.words
    assert value(ended, "targets_up", job="a", probe="shop", exported_probe="x", env="test") == 1
    assert value(ended, "targets_up", job="b") != value(ended, "targets_up", job="b")


async def test_a_number_is_a_sample_and_an_empty_answer_is_none() -> None:
    """What is not there is gone; the server said so."""
    async with served(says(said("scalar", [1772366400, "3.5"]))) as port:
        ended = await look(Promql(url=f"http://127.0.0.1:{port}", metrics={"three": "3.5"}))
    assert value(ended, "three") == 3.5
    async with served(says(vector())) as port:
        ended = await look(Promql(url=f"http://127.0.0.1:{port}", metrics={"three": "nothing"}))
    assert ended.success
    assert ended.batch.whole
    assert "three" not in {sample.name for sample in ended.batch.samples}


async def test_without_metrics_it_is_looked_whether_the_server_answers() -> None:
    """Nothing of the answer is stored."""
    async with served(says(vector(({}, "1")))) as port:
        ended = await look(Promql(url=f"http://127.0.0.1:{port}"))
    assert ended.success
    assert {sample.name for sample in ended.batch.samples} == {
        "probe_success",
        "probe_duration_seconds",
        "probe_consecutive_failures",
    }


@pytest.mark.parametrize(
    ("status", "body", "reason", "words"),
    [
        (401, "who are you", "auth", "status is 401"),
        (502, "<html>", "status", "status is 502, not Prometheus's"),
        (400, json.dumps({"status": "error", "error": "parse error: bad"}), "error", "depth: parse error: bad"),
        (200, said("matrix", []), "expect", "depth gives a matrix"),
        (200, vector(({"__name__": "a"}, "1"), ({"__name__": "b"}, "2")), "expect", "two results with the labels"),
    ],
)
async def test_what_is_no_answer_fails_the_run(status: int, body: str, reason: str, words: str) -> None:
    """With words for the person on call."""
    async with served(says(body, status=status)) as port:
        ended = await look(Promql(url=f"http://127.0.0.1:{port}", metrics={"depth": "queue_depth"}))
    assert (ended.success, ended.reason) == (False, reason)
    assert words in ended.words


def test_the_server_is_asked_for_history_as_the_probe_asks() -> None:
    """With its login, and nothing of that is shown."""
    kind = Promql.model_validate({"url": "http://metrics:9090", "auth": {"bearer": "s3cret"}})
    server = kind.server("prometheus", timedelta(seconds=5))
    assert server.headers == {"Authorization": "Bearer s3cret"}
    assert (server.name, server.timeout) == ("prometheus", timedelta(seconds=5))
    assert "s3cret" not in repr(server)
