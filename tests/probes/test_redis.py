"""The kind `redis` against a Redis of its own, and against servers that are none."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.redis import Redis
from tests.e2e.process import free_port
from tests.probes.looking import look, value

SEED = """RPUSH celery a b c
XADD orders * id 1
SET limit 2.5
SET word many
SET fading 1 EX 1000
ACL SETUSER reader on >s3cret/ ~celery +ping +llen
"""


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Redis that holds a little, on a socket first: its port is free for nobody else."""
    if not (program := shutil.which("redis-server")):
        pytest.skip("redis-server is not installed (Debian: redis-server)")
    folder = tmp_path_factory.mktemp("redis")
    port = free_port()
    arguments = ["--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert any("Ready to accept connections" in line for line in server.stdout)
        subprocess.run(["redis-cli", "-p", str(port)], input=SEED, text=True, check=True, capture_output=True)
        yield f"127.0.0.1:{port}"
    finally:
        server.kill()
        server.communicate()


async def test_a_server_that_answers_is_well(redis: str) -> None:
    """PING is answered, and each phase is timed."""
    ended = await look(Redis.model_validate(f"redis://{redis}"))
    assert ended.success, ended.words
    assert value(ended, "probe_redis_duration_seconds", phase="ping") > 0
    assert value(ended, "probe_ip_protocol") == 4


async def test_questions_are_answered_with_numbers(redis: str) -> None:
    """Lengths, counts, a value, and fields of INFO, in the database that is named."""
    metrics = {
        "depth": "llen celery",
        "orders": "XLEN orders",
        "limit": "GET limit",
        "nothing_waits": "LLEN not there",
        "keys": "DBSIZE",
        "clients": "INFO connected_clients",
        "fading": "INFO db0.expires",
        "commands_total": "INFO total_commands_processed",
    }
    ended = await look(Redis(url=f"redis://{redis}", metrics=metrics, expect={"role": "master"}))
    assert ended.success, ended.words
    found = [value(ended, name) for name in metrics]
    assert found[:7] == [3, 1, 2.5, 0, 5, 1, 1]
    assert [sample.name for sample in ended.batch.samples if sample.counter] == ["commands_total"]
    other = await look(Redis(url=f"redis://{redis}/3", metrics={"keys": "DBSIZE"}))
    assert value(other, "keys") == 0


@pytest.mark.parametrize(
    ("keys", "reason", "words"),
    [
        ({"metrics": {"n": "LLEN limit"}}, "expect", "answers LLEN: WRONGTYPE Operation against a key"),
        ({"metrics": {"n": "GET word"}}, "expect", 'n: GET word is "many", no number'),
        ({"metrics": {"n": "GET none"}}, "expect", "n: GET none finds nothing"),
        ({"metrics": {"n": "INFO nowhere"}}, "expect", "n: INFO nowhere finds nothing"),
        ({"metrics": {"n": "INFO db0.nowhere"}}, "expect", "n: INFO db0.nowhere finds nothing"),
        ({"expect": {"role": "slave"}}, "expect", "role is master, expected slave"),
        ({"expect": {"nowhere": "up"}}, "expect", "INFO has no field nowhere"),
        ({"user": "reader:s3cret%2F", "metrics": {"n": "DBSIZE"}}, "auth", "answers DBSIZE: NOPERM"),
        ({"user": "reader:wr0ng"}, "auth", "answers AUTH: WRONGPASS"),
        ({"database": "99"}, "error", "answers SELECT: ERR DB index is out of range"),
    ],
)
async def test_what_is_not_as_it_should_be_is_told(redis: str, keys: dict[str, Any], reason: str, words: str) -> None:
    """In Redis's own words where it has some, and never with the password."""
    user, database = keys.pop("user", ""), keys.pop("database", "")
    ended = await look(Redis(url=f"redis://{user}{'@' if user else ''}{redis}/{database}", **keys))
    assert (ended.reason, ended.success) == (reason, False)
    assert words in ended.words
    assert not any(secret in ended.words for secret in ("s3cret", "wr0ng"))


async def test_a_user_of_few_rights_may_ask_what_it_may(redis: str) -> None:
    """A password with a sign that a URL must encode is sent as it is."""
    ended = await look(Redis(url=f"redis://reader:s3cret%2F@{redis}", metrics={"depth": "LLEN celery"}))
    assert (ended.words, value(ended, "depth")) == ("", 3)


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[str]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(reply)
        await reader.read(1000)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("reply", "reason", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "expect", 'does not speak Redis\'s protocol: "HTTP/1.1 400 Bad Request"'),
        (b"$9999999999\r\n", "expect", 'does not speak Redis\'s protocol: "$9999999999"'),
        (b"x" * 1_100_000, "expect", "does not speak Redis's protocol"),
        (b"-NOAUTH Authentication required.\r\n", "auth", "answers PING: NOAUTH Authentication required."),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "error", "answers PING: LOADING Redis is loading"),
        (b"$-1\r\n", "expect", 'answers PING with "", expected PONG'),
        (b"$4\r\nPO", "timeout", "no result within 200ms: waiting for the answer to PING of 127.0.0.1:"),
        (b"", "timeout", "no result within 200ms: waiting for the answer to PING of 127.0.0.1:"),
    ],
)
async def test_a_bad_server_fails_with_reason_and_words(reply: bytes, reason: str, words: str) -> None:
    """Whatever is at the port, the look ends in time and keeps little of it."""
    async with answering(reply) as address:
        ended = await look(Redis(url=f"redis://{address}"), timeout=0.2 if reason == "timeout" else 5)
    assert ended.reason == reason
    assert words in ended.words


async def test_nobody_at_the_port_is_a_matter_of_connecting() -> None:
    """The words name where, and after how long."""
    ended = await look(Redis(url="redis://127.0.0.1:1"))
    assert ended.reason == "connect"
    assert ended.words.startswith("connection refused by 127.0.0.1:1 after ")


async def test_over_tls_the_certificate_is_checked(folder: Path) -> None:
    """`rediss://` trusts whom `tls` says."""
    from tests.probes.certificates import server

    async def pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"PING\r\n")
        writer.write(b"+PONG\r\n")
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(pong, "127.0.0.1", 0, ssl=server(folder, "good"))
    async with listening:
        url = f"rediss://localhost:{listening.sockets[0].getsockname()[1]}"
        trusting = await look(Redis.model_validate({"url": url, "tls": {"ca": folder / "good.pem"}}))
        strange = await look(Redis(url=url))
    assert trusting.success, trusting.words
    assert strange.reason == "tls"


@pytest.mark.parametrize(
    "given",
    [
        {"url": "127.0.0.1:6379"},
        {"url": "http://127.0.0.1"},
        {"url": "redis://:s3cret@:6379"},
        {"url": "redis://h:port"},
        {"url": "redis://h/name"},
        {"url": "redis://h", "metrics": {"n": "FLUSHALL"}},
        {"url": "redis://h", "metrics": {"n": "LLEN"}},
        {"url": "redis://h", "metrics": {"n": "DBSIZE x"}},
    ],
)
def test_a_bad_definition_is_refused_without_its_password(given: dict[str, Any]) -> None:
    """What cannot work, and what could change something, is said when the file is checked."""
    with pytest.raises(ValidationError) as told:
        Redis.model_validate(given)
    assert "s3cret" not in str(told.value)
