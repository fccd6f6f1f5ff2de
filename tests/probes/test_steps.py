"""The kind `steps` against a real server: values carried on, waiting, and where it broke off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.steps import Steps
from tests.probes.looking import look, value
from tests.probes.servers import Behaviour, says, served


def shop(asked: list[str], *, ready_after: int = 0) -> Behaviour:
    """Take an item under an awkward name, and be done with it after so many questions."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        line = request.decode().split("\r\n", 1)[0]
        asked.append(line)
        if line.startswith("POST"):
            await says(json.dumps({"item": {"id": "a/b c", "number": 7}}), 201)(request, writer)
        else:
            state = "done" if len(asked) > 1 + ready_after else "working"
            await says(json.dumps({"state": state, "number": 7}))(request, writer)

    return answer


def steps(port: int, **processed: Any) -> Steps:
    return Steps.model_validate({
        "submit": {
            "http": {"url": f"http://127.0.0.1:{port}/items", "method": "POST"},
            "capture": {"id": "item.id", "number": "item.number"},
        },
        "processed": {
            "http": f"http://127.0.0.1:{port}/items/{{{{ id }}}}",
            "until": {"json": {"state": "done", "number": "{{ number }}"}},
            "within": "2s",
            "again": "10ms",
        }
        | processed,
    })  # fmt: skip


async def test_a_captured_value_is_quoted_in_the_url_of_the_next_step() -> None:
    """And stays a number where it is compared; each step is timed."""
    asked: list[str] = []
    async with served(shop(asked, ready_after=2)) as port:
        ended = await look(steps(port))
    assert ended.success, ended.words
    assert asked == ["POST /items HTTP/1.1", *["GET /items/a%2Fb%20c HTTP/1.1"] * 3]
    assert value(ended, "probe_step_requests", step="processed") == 3
    assert value(ended, "probe_step_success", step="submit") == 1
    assert value(ended, "probe_step_duration_seconds", step="processed") >= 0.02
    assert value(ended, "probe_http_status_code", step="submit") == 201
    assert value(ended, "probe_http_status_code", step="processed") == 200
    assert [verdict.expected for verdict in ended.verdicts][-1] == "processed: JSON number: 7"


async def test_what_is_not_reached_in_time_says_how_it_stood() -> None:
    """The last difference, and how often it was asked."""
    async with served(shop([], ready_after=1000)) as port:
        ended = await look(steps(port, within="50ms"))
    assert ended.reason == "expect"
    assert ended.words.startswith("step processed: not within 50ms (")
    assert 'requests): JSON field state is "working", expected "done" (127.0.0.1:' in ended.words
    assert value(ended, "probe_step_success", step="processed") == 0


async def test_a_step_that_fails_ends_the_run() -> None:
    """The step is named, and those below it are not taken."""
    async with served(says("{}", 500)) as port:
        ended = await look(steps(port))
    assert ended.reason == "status"
    assert ended.words.startswith("step submit: status is 500, expected 2xx (127.0.0.1:")
    assert not [sample for sample in ended.batch.samples if sample.labels.get("step") == "processed"]


async def test_a_value_that_is_not_there_cannot_be_captured() -> None:
    """A renamed field is noticed at once."""
    async with served(says('{"item": {"key": 1}}')) as port:
        ended = await look(steps(port))
    assert ended.words.startswith("step submit: item.id finds nothing to capture as id (127.0.0.1:")


async def test_a_step_that_hangs_is_named() -> None:
    """Its own time ends before the probe's."""

    async def hangs(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    async with served(hangs) as port:
        kind = Steps.model_validate({"login": {"http": f"http://127.0.0.1:{port}/", "within": "50ms"}})
        ended = await look(kind)
    assert ended.reason == "timeout"
    assert ended.words.startswith("step login: no result within 50ms: connected to 127.0.0.1:")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "at least 1"),
        ({"a": {"http": "http://x/{{ id }}"}}, "{{ id }} is captured by no step before"),
        ({"a": {"http": "ftp://x"}}, "should be a URL"),
        ({"a": {"http": "http://x", "until": {"json": {"b": "{{ c }}"}}}}, "a: {{ c }} is captured by no step"),
    ],
)
def test_a_bad_definition_is_refused(given: Mapping[str, Any], words: str) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError) as refused:
        Steps.model_validate(given)
    assert words in str(refused.value)


def test_a_probe_leaves_time_for_all_its_steps() -> None:
    """Each has 10 s if it does not say."""
    kind = Steps.model_validate({"a": {"http": "http://x"}, "b": {"http": "http://x", "within": "60s"}})
    assert kind.least_timeout == timedelta(seconds=70)
    assert kind.host() == "x"
