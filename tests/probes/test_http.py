"""The kind `http` against real servers, good and bad."""

from __future__ import annotations

import asyncio
import json
import math
import re
import socket
import threading
import tracemalloc
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.http import BODY_LIMIT, Http
from sentinel.probes.run import run
from sentinel.probes.web import wire
from tests.probes import servers
from tests.probes.looking import NOW, look, probe_of, value
from tests.probes.servers import Behaviour, says, served

HEALTH = json.dumps({"status": "ok", "queue": {"depth": 7}, "at": "2026-03-01T12:00:00Z", "parts": [{"id": 1}]})


async def test_a_healthy_answer_tells_its_phases_and_status() -> None:
    """A good look yields what blackbox_exporter would."""
    async with served(says(HEALTH)) as port:
        ended = await look(Http(url=f"http://127.0.0.1:{port}/health"))
    assert ended.success
    assert (ended.reason, ended.words) == ("", "")
    assert ended.batch.whole
    assert value(ended, "probe_success", probe="shop") == 1
    assert value(ended, "probe_http_status_code") == 200
    assert value(ended, "probe_http_content_length") == len(HEALTH)
    assert value(ended, "probe_http_version") == 1.1
    assert value(ended, "probe_ip_protocol") == 4
    phases = [value(ended, "probe_http_duration_seconds", phase=phase) for phase in ("connect", "processing")]
    assert all(0 < phase < value(ended, "probe_duration_seconds") for phase in phases)
    assert value(ended, "probe_http_duration_seconds", phase="tls") == 0


async def test_the_connection_is_kept_between_looks() -> None:
    """The second look spares itself the connecting."""
    async with served(says(HEALTH)) as port:
        kind = Http(url=f"http://localhost:{port}/")
        async with kind.ready() as measure:
            first = await run(probe_of(kind), measure, NOW)
            second = await run(probe_of(kind), measure, NOW)
    assert first.success
    assert second.success
    assert value(first, "probe_http_duration_seconds", phase="connect") > 0
    assert value(second, "probe_http_duration_seconds", phase="connect") == 0


async def test_a_kept_connection_that_the_server_closed_is_no_failure() -> None:
    """A server may close what is idle at the very moment when we ask again."""
    count = 0

    async def closes_before_each_second_answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        count += 1
        await (servers.closes if count == 2 else says(HEALTH))(request, writer)

    async with served(closes_before_each_second_answer) as port:
        kind = Http(url=f"http://127.0.0.1:{port}/")
        async with kind.ready() as measure:
            assert [(await run(probe_of(kind), measure, NOW)).success for _ in range(2)] == [True, True]
    assert count == 3


async def test_what_is_sent_is_what_yaml_says() -> None:
    """Method, headers, body and credentials arrive; nothing of a library's is added."""
    seen: list[bytes] = []

    async def listens(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await says("")(request, writer)

    kind = {
        "method": "post",
        "headers": {"X-Shop": "1", "user-agent": "check"},
        "body": "{}",
        "auth": {"basic": {"username": "ann", "password": "s3cret"}},
    }
    async with served(listens) as port:
        await look(Http.model_validate({"url": f"http://127.0.0.1:{port}/a?b=c", **kind}))
        await look(Http.model_validate({"url": f"http://127.0.0.1:{port}/", "auth": {"bearer": "token"}}))
    first, second = (request.decode().lower() for request in seen)
    assert first.startswith("post /a?b=c http/1.1\r\n")
    assert f"host: 127.0.0.1:{port}" in first
    assert "x-shop: 1" in first
    assert first.count("user-agent: check") == first.count("user-agent") == 1
    assert "authorization: basic yw5uonmzy3jlda==" in first
    assert "content-length: 2" in first
    assert "authorization: bearer token" in second
    assert "user-agent: sentinel/" in second
    assert "python" not in second


@pytest.mark.parametrize(
    ("expect", "reason", "words"),
    [
        pytest.param({"status": "2xx"}, "", "", id="class"),
        pytest.param({"status": [204, "200"]}, "", "", id="list"),
        pytest.param({"status": "201-204"}, "status", "status is 200, expected 201-204", id="range"),
        pytest.param({"within": "1ms"}, "expect", "answered after ", id="too slow"),
        pytest.param({"body": "statu[sz]"}, "", "", id="body"),
        pytest.param({"body": "down"}, "expect", 'nothing in the body matches "down": "{', id="body that differs"),
        pytest.param(
            {"headers": {"X-Version": "^v2"}}, "expect", 'header X-Version is "v1", expected ^v2', id="header"
        ),
        pytest.param({"headers": {"X-None": "."}}, "expect", "header X-None is missing", id="header missing"),
        pytest.param({"json": {"status": "ok", "queue": {"depth": 7}}}, "", "", id="json subset"),
        pytest.param({"json": {"queue.depth": 7, "parts[0].id": 1}}, "", "", id="json by path"),
        pytest.param({"json": {"status": "up"}}, "expect", 'JSON field status is "ok", expected "up"', id="json value"),
        pytest.param({"json": {"queue": {"dep": 7}}}, "expect", "JSON field queue.dep is missing", id="json field"),
        pytest.param(
            {"json": {"queue": {"depth": True}}}, "expect", "field queue.depth is 7, expected true", id="bool"
        ),
        pytest.param(
            {"json": {"state": "x", "queue.age": 1, "status": 1, "at": 1}}, "expect", "; and 1 more", id="many"
        ),
    ],
)
async def test_expectations(expect: Mapping[str, Any], reason: str, words: str) -> None:
    """Each expectation holds, or says what differs."""

    async def slowly(request: bytes, writer: asyncio.StreamWriter) -> None:
        if "within" in expect:
            await asyncio.sleep(0.002)
        await says(HEALTH, headers={"X-Version": "v1"})(request, writer)

    async with served(slowly) as port:
        ended = await look(Http.model_validate({"url": f"http://127.0.0.1:{port}/", "expect": expect}))
    assert ended.reason == reason
    assert words in ended.words
    assert ended.success == (not reason)
    assert value(ended, "probe_http_status_code") == 200


@pytest.mark.parametrize(
    ("status", "reason"), [(500, "status"), (404, "status"), (401, "auth"), (403, "auth"), (304, "status")]
)
async def test_a_bad_status_keeps_its_number(status: int, reason: str) -> None:
    """The look fails, and its status is stored all the same; the words say also who answered, and after how long."""
    async with served(says("" if status == 304 else "oops", status)) as port:
        ended = await look(Http(url=f"http://127.0.0.1:{port}/"))
    assert ended.reason == reason
    assert re.fullmatch(rf"status is {status}, expected 2xx \(127\.0\.0\.1:{port}, after \d+ ms\)", ended.words)
    assert value(ended, "probe_http_status_code") == status
    assert value(ended, "probe_failure", reason=reason) == 1
    assert not ended.batch.whole


async def test_numbers_and_times_come_out_of_json() -> None:
    """A metric is what its path finds."""
    metrics = {"queue_depth": "queue.depth", "last_seen": "at", "parts_total": "length(parts)"}
    async with served(says(HEALTH)) as port:
        ended = await look(Http(url=f"http://127.0.0.1:{port}/", metrics=metrics), env="production")
    assert ended.success
    assert value(ended, "queue_depth", probe="shop", env="production") == 7
    assert value(ended, "last_seen") == NOW.timestamp()
    assert [sample.counter for sample in ended.batch.samples if sample.name == "parts_total"] == [True]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("queue.length", "queue.length finds nothing in the JSON; there are at, parts, queue, status"),
        ("status", 'status is neither a number nor a time: "ok"'),
        ("queue", 'queue is not a number: "{"depth": 7}"'),
        ("length(queue.depth)", "length(queue.depth): "),
    ],
)
async def test_a_renamed_field_is_noticed(path: str, words: str) -> None:
    """A path that finds no number fails the look."""
    async with served(says(HEALTH)) as port:
        ended = await look(Http(url=f"http://127.0.0.1:{port}/", metrics={"queue_depth": path}))
    assert ended.reason == "expect"
    assert ended.words.startswith(words)


async def test_what_is_no_finite_number_is_one_all_the_same() -> None:
    """As JavaScript and Python write them; and a count that falls is a service that was started anew."""
    answers = iter(('{"a": NaN, "b": Infinity, "orders": 7}', '{"a": 1e999, "b": -Infinity, "orders": 2}'))

    async def says_next(request: bytes, writer: asyncio.StreamWriter) -> None:
        await says(next(answers))(request, writer)

    async with served(says_next) as port:
        metrics = {"a": "a", "b": "b", "orders_total": "orders"}
        kind = Http.model_validate({"url": f"http://127.0.0.1:{port}/", "metrics": metrics})
        async with kind.ready() as measure:
            first, second = [await run(probe_of(kind), measure, NOW) for _ in range(2)]
    assert math.isnan(value(first, "a"))
    assert (value(first, "b"), value(second, "a"), value(second, "b")) == (math.inf, math.inf, -math.inf)
    assert (first.success, second.success, value(second, "orders_total")) == (True, True, 2)


BAD: list[tuple[str, Behaviour, str, str]] = [
    ("hangs", servers.hangs, "timeout", "waiting for its answer"),
    ("hangs in the body", servers.hangs_in_the_body, "timeout", "reading the answer of 127.0.0.1:"),
    ("a byte at a time", servers.drips, "timeout", "reading the answer of 127.0.0.1:"),
    ("closes", servers.closes, "connect", "closed the connection without an answer"),
    ("endless body", servers.never_ends, "expect", "body is longer than 4,096 KiB"),
    ("endless head", servers.never_ends_its_head, "error", "does not speak HTTP"),
    ("gzip bomb", servers.bomb(50_000_000), "expect", "body is longer than 4,096 KiB"),
    ("redirect loop", servers.redirects_for_ever, "status", "redirects more than 10 times"),
    (
        "redirect to nowhere",
        servers.writes(b"HTTP/1.1 302 X\r\nLocation: gopher://x\r\nContent-Length: 0\r\n\r\n"),
        "status",
        "redirects to what is no URL",
    ),
    (
        "not HTTP",
        servers.writes(b"220 a.example.com ESMTP\r\n\r\n"),
        "error",
        'HTTP: illegal status line: "220 a.example',
    ),
    ("half a head", servers.writes(b"HTTP/1.1 200 OK\r\nConte"), "connect", "before the end of its answer"),
    (
        "cut off",
        servers.writes(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"),
        "connect",
        "closed the connection before the end",
    ),
    ("damaged gzip", says(b"no gzip", headers={"Content-Encoding": "gzip"}), "expect", "body cannot be unpacked"),
    ("unknown packing", says(b"?", headers={"Content-Encoding": "br"}), "expect", "packed as br, which was not asked"),
    ("invalid UTF-8", says(b'{"status": "\xff"}'), "expect", "body is not JSON: byte 12 is not UTF-8"),
    ("HTML", says("<html>"), "expect", 'body is not JSON (Expecting value at line 1): "<html>"'),
    ("deep JSON", says("[" * 200_000), "expect", "body is JSON that is nested too deep"),
    ("JSON list", says("[]"), "expect", "JSON field status is missing"),
]


@pytest.mark.parametrize(("behaviour", "reason", "words"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
async def test_a_bad_target_fails_with_reason_and_words(behaviour: Behaviour, reason: str, words: str) -> None:
    """Whatever a target does, the look ends in time, in bounded memory, with words for the person on call."""
    tracemalloc.start()
    try:
        async with served(behaviour) as port:
            kind = Http.model_validate({"url": f"http://127.0.0.1:{port}/", "expect": {"json": {"status": "ok"}}})
            ended = await look(kind, timeout=0.5 if reason == "timeout" else 10)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (ended.reason, ended.success) == (reason, False)
    assert words in ended.words
    assert peak < 6 * BODY_LIMIT


async def test_a_proxy_is_asked_in_place_of_the_target() -> None:
    """With the whole URL, and with the credentials that its own URL holds."""
    seen: list[bytes] = []

    async def forwards(request: bytes, writer: asyncio.StreamWriter) -> None:
        seen.append(request)
        await says(HEALTH)(request, writer)

    async with served(forwards) as port:
        proxy = f"http://ann:s3cret@127.0.0.1:{port}"
        ended = await look(Http(url="http://shop.invalid/health", proxy=proxy))
    assert ended.success, ended.words
    assert seen[0].startswith(b"GET http://shop.invalid/health HTTP/1.1\r\n")
    assert b"proxy-authorization: basic yw5uonmzy3jlda==" in seen[0].lower()


async def test_a_name_server_that_hangs_costs_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks end at their timeout, and wait for the look-up that is under way."""
    release, lookups = threading.Event(), []

    def hangs(host: str, port: int) -> list[wire.Address]:
        lookups.append(host)
        release.wait(10)
        return [(socket.AF_INET, ("127.0.0.1", port))]

    monkeypatch.setattr(wire, "_addresses", hangs)
    kind = Http(url="http://shop.example.com/")
    async with kind.ready() as measure:
        for _ in range(2):
            ended = await run(probe_of(kind, timeout=0.1), measure, NOW)
            assert (ended.reason, ended.words) == ("timeout", "no result within 100ms: looking up shop.example.com")
    release.set()
    assert lookups == ["shop.example.com"]


async def test_a_refused_connection_names_address_and_time() -> None:
    """The person on call reads who refused, and how fast."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        ended = await look(Http(url=f"http://127.0.0.1:{port}/"))
    assert ended.reason == "connect"
    assert ended.words.startswith(f"connection refused by 127.0.0.1:{port} after ")


async def test_an_unknown_host_is_a_matter_of_dns() -> None:
    """A name that is nobody's is not a refused connection."""
    ended = await look(Http(url="http://nobody.invalid/"), timeout=8)
    assert ended.reason in ("dns", "timeout")  # without a name server the look-up hangs
    assert "nobody.invalid" in ended.words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"url": "shop.example.com"}, "should be a URL"),
        ({"url": "https://"}, "should be a URL"),
        ({"url": "http://x", "method": "GET /"}, "is not a method"),
        ({"url": "http://x", "expect": {"status": "6xx"}}, '"6xx" is not a status'),
        ({"url": "http://x", "metrics": {"a": "b["}}, "is not a path into JSON"),
        ({"url": "http://x", "auth": {}}, "exactly one of basic, bearer and oauth2"),
        ({"url": "http://x", "tls": {"key": "k.pem"}}, "key needs cert"),
        ({"url": "http://x", "expect": {"body": "(["}}, "is not a regular expression"),
    ],
)
def test_a_bad_definition_is_refused(given: Mapping[str, Any], words: str) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError, match=words.replace("(", r"\(")):
        Http.model_validate(given)
