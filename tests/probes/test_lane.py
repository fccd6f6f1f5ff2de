"""One connection of HTTP/1.1 from look to look: when it is kept, and what a peer may do between two answers."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import httpcore
import pytest

from sentinel.probes.http import Http
from sentinel.probes.run import Run, run
from sentinel.probes.web.lane import Lane
from sentinel.probes.web.wire import Wire
from tests.probes.looking import NOW, look, probe_of, value
from tests.probes.servers import Behaviour, says, served, writes

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def looks(behaviour: Behaviour, count: int = 2) -> list[Run]:
    """Look so often."""
    async with served(behaviour) as port:
        kind = Http.model_validate({"url": f"http://127.0.0.1:{port}/", "expect": {"body": "^ok$"}})
        async with kind.ready() as measure:
            return [await run(probe_of(kind), measure, NOW) for _ in range(count)]


def connected(ended: Run) -> bool:
    return value(ended, "probe_http_duration_seconds", phase="connect") > 0


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        pytest.param(OK, True, id="whole"),
        pytest.param(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK, True, id="hints before it"),
        pytest.param(OK + b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n", False, id="more than was asked for"),
        pytest.param(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"), False, id="announces its end"),
        pytest.param(b"HTTP/1.0" + OK[8:], False, id="of an older version"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n1\r\nk\r\n0\r\n\r\n", True, id="in chunks"
        ),
    ],
)
async def test_a_connection_is_kept_if_nothing_is_left_on_it(answer: bytes, kept: bool) -> None:
    """What came behind an answer must not be taken for that to the next look."""
    first, second = await looks(writes(answer, close=False))
    assert (first.words, second.words) == ("", "")
    assert connected(first)
    assert connected(second) is not kept


async def test_a_connection_that_the_peer_closed_is_opened_anew() -> None:
    """That says nothing of its health."""
    first, second = await looks(writes(OK))
    assert (first.words, second.words) == ("", "")
    assert connected(second)


async def test_a_body_that_is_refused_before_its_end_has_its_answer() -> None:
    """The server says why and hangs up, while we still send."""

    async def refuses(_: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 413 X\r\nContent-Length: 8\r\n\r\ntoo long")
        with suppress(ConnectionError):
            await writer.drain()
        writer.write_eof()

    async with served(refuses) as port:
        ended = await look(Http.model_validate({"url": f"http://127.0.0.1:{port}/", "body": "x" * 300_000}))
    assert ended.words.startswith("status is 413, expected 2xx")


async def test_an_idle_connection_is_not_used_again() -> None:
    """A firewall on the way may have forgotten it without a word."""
    async with served(says("ok")) as port:
        for idle_seconds, opened in ((60.0, 1), (0.0, 2)):
            wire = Wire()
            lane = Lane(wire, None, "", idle_seconds)
            asked = httpcore.Request("GET", f"http://127.0.0.1:{port}/", headers={"Host": "shop"})
            for _ in range(2):
                answer = await lane.handle_async_request(asked)
                assert await answer.aread() == b"ok"
                await answer.aclose()
            assert wire.opened == opened
            await lane.aclose()
