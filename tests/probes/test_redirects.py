"""How `http` follows redirects: as browsers do, with cookies, and never with what is meant for another."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sentinel.probes.http import Http
from sentinel.probes.run import Run, run
from tests.probes.looking import NOW, look, probe_of, value
from tests.probes.servers import says, served

BODY = '{"sku": "test"}'


class Site:
    """Answers each path as it is told, and keeps what it was asked."""

    def __init__(self, **answers: bytes) -> None:
        self.answers = answers
        self.asked: list[bytes] = []

    async def __call__(self, request: bytes, writer: asyncio.StreamWriter) -> None:
        self.asked.append(request)
        path = request.split(b" ", 2)[1].decode().strip("/")
        writer.write(self.answers.get(path, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))

    async def look(self, path: str = "start", **keys: Any) -> Run:
        """Look at it."""
        async with served(self) as port:
            url = keys.pop("url", f"http://127.0.0.1:{port}/{path}").replace("PORT", str(port))
            return await look(Http.model_validate({"url": url, **keys}))

    def lines(self, number: int) -> list[str]:
        """Return the lines of a request's head; the server takes the body before for its beginning."""
        return self.asked[number].decode().removeprefix(BODY).strip().split("\r\n")


def goes(status: int, place: str, *more: str) -> bytes:
    """Return an answer that points elsewhere."""
    lines = "".join(f"{line}\r\n" for line in (f"Location: {place}", *more))
    return f"HTTP/1.1 {status} X\r\n{lines}Content-Length: 4\r\n\r\nhere".encode()


@pytest.mark.parametrize(
    ("status", "method", "then"),
    [
        (301, "POST", "GET"), (301, "PUT", "PUT"), (302, "PUT", "GET"), (303, "POST", "GET"),
        (307, "POST", "POST"), (308, "POST", "POST"), (302, "HEAD", "HEAD"),
    ],
)  # fmt: skip
async def test_the_method_after_a_redirect(status: int, method: str, then: str) -> None:
    """What becomes a GET has no body any more, and no type of one."""
    site = Site(start=goes(status, "/next"))
    site.answers["start"] = site.answers["start"].removesuffix(b"here") if method == "HEAD" else site.answers["start"]
    keys: dict[str, Any] = {} if method == "HEAD" else {"json": {"sku": "test"}}
    ended = await site.look(method=method, **keys)
    assert (ended.words, value(ended, "probe_http_redirects")) == ("", 1)
    assert site.lines(1)[0] == f"{then} /next HTTP/1.1"
    assert any("application/json" in line for line in site.lines(1)) is (then in ("PUT", "POST"))


async def test_cookies_are_kept_under_way_and_forgotten_after_it() -> None:
    """A site that sets a cookie and points to itself is no loop, and each look begins as a stranger."""
    site = Site(start=goes(302, "next", "Set-Cookie: seen=1; Path=/"))
    assert (await site.look()).success
    assert (await site.look()).success
    assert ["Cookie: seen=1" in "\n".join(site.lines(number)) for number in range(4)] == [False, True, False, True]


async def test_a_redirect_on_one_host_uses_its_connection() -> None:
    """The short body of a redirect is read, so nobody connects anew."""
    site = Site(start=goes(302, "/next"))
    async with served(site) as port:
        kind = Http.model_validate({"url": f"http://127.0.0.1:{port}/start"})
        async with kind.ready() as measure:
            connected = [await run(probe_of(kind), measure, NOW) for _ in range(2)]
    phases = [value(ended, "probe_http_duration_seconds", phase="connect") for ended in connected]
    assert phases[0] > 0
    assert phases[1] == 0


async def test_who_asks_is_told_to_no_other_host() -> None:
    """A password goes to the host that it is for; along the same host it is kept."""
    site = Site(start=goes(302, "http://localhost:PORT/next"), same=goes(302, "/next"))
    async with served(site) as port:
        site.answers["start"] = site.answers["start"].replace(b"PORT", str(port).encode())
        for path in ("start", "same"):
            keys = {"url": f"http://127.0.0.1:{port}/{path}", "auth": {"bearer": "secret"}, "ip": "4"}
            assert (await look(Http.model_validate(keys))).success
    shown = ["secret" in "\n".join(site.lines(number)) for number in range(4)]
    assert shown == [True, False, True, True]
    assert f"Host: localhost:{port}" in site.lines(1)


async def test_a_user_in_the_url_is_who_asks() -> None:
    """As curl and browsers take it."""
    site = Site()
    assert (await site.look(url="http://ann:se%20cret@127.0.0.1:PORT/")).success
    assert "Authorization: Basic YW5uOnNlIGNyZXQ=" in site.lines(0)


async def test_a_redirect_whose_body_never_ends_is_left() -> None:
    """It goes on at once, on a connection of its own."""
    endless = b"HTTP/1.1 302 X\r\nLocation: /next\r\nContent-Length: 99999999\r\n\r\n" + b"x" * 200_000
    site = Site(start=endless)
    ended = await site.look()
    assert (ended.words, ended.success) == ("", True)


async def test_an_empty_post_says_so() -> None:
    """Some servers refuse one without a length."""
    async with served(says("ok")) as port:
        ended = await look(Http.model_validate({"url": f"http://127.0.0.1:{port}", "method": "POST"}))
    assert ended.success
    site = Site()
    await site.look(method="POST", body="")
    assert "Content-Length: 0" in site.lines(0)
