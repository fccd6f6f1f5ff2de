"""One HTTP client per probe, held open between looks: asking once, and saying in words why it failed."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from sentinel import __version__
from sentinel.core.errors import ProbeFailed
from sentinel.core.web import Tls
from sentinel.probes.base import Look
from sentinel.probes.web.body import read_body
from sentinel.probes.web.lane import Lane
from sentinel.probes.web.request import Journey, Request
from sentinel.probes.web.target import WebTarget
from sentinel.probes.web.wire import Wire

#: A connection that was idle so long is not used again.
IDLE_SECONDS = 60.0
#: More redirects than this are a loop.
MOST_REDIRECTS = 10
#: A redirect's own body is read up to here.
_REDIRECT_LIMIT = 64 * 1024
#: How h11 quotes what it received.
_QUOTED = re.compile(r"bytearray\(b(['\"])(.*)\1\)")
#: Methods that may be sent again when a connection from before turns out to be dead.
REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS"})

DEFAULT_HEADERS = {"User-Agent": f"Sentinel/{__version__}", "Accept": "*/*", "Accept-Encoding": "gzip"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, after redirects."""

    status: int
    headers: httpx.Headers
    body: bytes
    version: str
    redirects: int
    took_seconds: float
    tls: Any


class Client:
    """Asks one target again and again; opened at the first look, and anew when a file of its TLS options changes."""

    def __init__(self, target: WebTarget, defaults: Mapping[str, str]) -> None:
        self.wire = Wire(target.ip)
        self._target = target
        self._address = target.address()
        self._headers = target.all_headers({**DEFAULT_HEADERS, **defaults})
        name = target.tls.server_name
        self._extensions = {"sni_hostname": name} if name else {}
        self._secure = target.url.lower().startswith("https:") or target.tls != Tls()
        self._context: ssl.SSLContext | None = None
        self._pools: dict[bytes, Lane | httpcore.AsyncConnectionPool] = {}

    async def close(self) -> None:
        """Close what is open."""
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    async def _pool(self, scheme: bytes) -> Lane | httpcore.AsyncConnectionPool:
        """Return who asks; the public certificates cost 60 ms and 2 MB, which only https pays, redirected to or not."""
        if self._secure and (context := self._trusting()) is not self._context:
            await self.close()
            self._context = context
        if scheme not in self._pools:
            self._pools[scheme] = self._lane(scheme)
        return self._pools[scheme]

    def _lane(self, scheme: bytes) -> Lane | httpcore.AsyncConnectionPool:
        target, context = self._target, self._trusting() if scheme == b"https" else None
        unix_socket = str(target.unix_socket) if target.unix_socket else ""
        if not target.http2 and not target.proxy:
            return Lane(self.wire, context, unix_socket, IDLE_SECONDS)
        return httpcore.AsyncConnectionPool(
            ssl_context=context,
            proxy=_proxy(target.proxy) if target.proxy else None,
            uds=unix_socket or None,
            http2=target.http2,
            max_connections=2,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self.wire,
        )

    def _trusting(self) -> ssl.SSLContext:
        try:
            # Who speaks HTTP/2 has a context of his own: httpcore writes into it what it offers.
            return self._target.tls.context("http/1.1", *(("h2",) if self._target.http2 else ()))
        except OSError as exc:
            raise ProbeFailed("tls", str(exc)) from exc

    async def ask(
        self,
        look: Look,
        method: str,
        url: str,
        content: bytes | None,
        limit: int,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Args:
            look: whose phases and time this is.
            method: of the request.
            url: to ask.
            content: the body to send.
            limit: bytes of the answer's body that are read at most.
            headers: of this request alone.

        Raises:
            ProbeFailed: dns, connect, tls, status (a redirect loop) or expect (a body too long or damaged).
        """
        self.wire.begin(look)
        request = Request(method, url, {**self._headers, **(headers or {})}, content)
        began = time.perf_counter()
        try:
            return await self._ask(request, limit, began)
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as exc:
            if self.wire.opened or method not in REPEATABLE:
                raise self._broken(exc) from exc
        # The peer closed a connection of an earlier look while we sent: that says nothing of its health.
        try:
            return await self._ask(request, limit, began)
        except (httpcore.NetworkError, httpcore.RemoteProtocolError) as exc:
            raise self._broken(exc) from exc

    def _broken(self, exc: Exception) -> ProbeFailed:
        peer, said = self.wire.peer or self._address, str(exc)
        ended = "disconnected" in said or "closed connection" in said
        if isinstance(exc, httpcore.RemoteProtocolError) and not ended:
            said = _QUOTED.sub(r'"\2"', said)
            return ProbeFailed("error", f"{peer} does not speak HTTP: {said}")
        what = "before the end of its answer" if self.wire.received else "without an answer"
        return ProbeFailed("connect", f"{peer} closed the connection {what}")

    async def _ask(self, request: Request, limit: int, began: float) -> Answer:
        """Ask, go where the answers point, and read the last of them."""
        journey = Journey(request)
        response = await self._sent(request)
        while self._target.follow_redirects and (place := journey.place(response)) is not None:
            if journey.redirects == MOST_REDIRECTS:
                await response.aclose()
                raise ProbeFailed("status", f"{self._address} redirects more than {MOST_REDIRECTS} times")
            with suppress(ProbeFailed):  # a body that is read to its end leaves the connection for the next request
                await read_body(response, _REDIRECT_LIMIT)
            await response.aclose()
            response = await self._sent(journey.onward(response, place))
        try:
            peer = self.wire.peer or self._address
            self.wire.doing(f"reading the answer of {peer}, which began with status {response.status}")
            reading = time.perf_counter()
            try:
                body = await read_body(response, limit)
            finally:
                self.wire.spent("transfer", reading)
        finally:
            await response.aclose()
        stream = response.extensions.get("network_stream")
        return Answer(
            status=response.status,
            headers=httpx.Headers(response.headers),
            body=body,
            version=response.extensions["http_version"].decode().removeprefix("HTTP/"),
            redirects=journey.redirects,
            took_seconds=time.perf_counter() - began,
            tls=stream.get_extra_info("ssl_object") if stream else None,
        )

    async def _sent(self, request: Request) -> httpcore.Response:
        """Send, and count as processing what was neither look-up, connecting nor TLS."""
        began, before = time.perf_counter(), self._spent()
        self.wire.doing(f"waiting for the answer of {self._address}")
        try:
            pool = await self._pool(request.place.scheme)
            return await pool.handle_async_request(
                httpcore.Request(
                    request.method,
                    request.place,
                    headers=request.head(),
                    content=request.content,
                    extensions=self._extensions,
                )
            )
        except httpcore.ProxyError as exc:
            raise ProbeFailed(
                "auth" if str(exc).startswith("407") else "connect", f"the proxy refuses: {exc}"
            ) from None
        except httpcore.LocalProtocolError as exc:
            raise ProbeFailed("error", f"the request cannot be sent: {exc}") from None
        finally:
            took = time.perf_counter() - began - (self._spent() - before)
            self.wire.phases["processing"] = self.wire.phases.get("processing", 0.0) + max(0.0, took)

    def _spent(self) -> float:
        return sum(self.wire.phases.get(phase, 0.0) for phase in ("resolve", "connect", "tls"))


def _proxy(url: str) -> httpcore.Proxy:
    """Return a proxy, with the user and password that its URL may hold."""
    proxy = httpx.Proxy(url)
    at = httpcore.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=b"/")
    return httpcore.Proxy(at, auth=proxy.raw_auth)
