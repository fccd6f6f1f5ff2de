"""One HTTP client per probe, held open between looks: asking once, and saying in words why it failed."""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from sentinel import __version__
from sentinel.core.errors import ProbeFailed
from sentinel.core.web import Tls
from sentinel.probes.base import Look
from sentinel.probes.web.body import read_body
from sentinel.probes.web.target import WebTarget
from sentinel.probes.web.wire import Wire

#: A connection that was idle so long is not used again.
IDLE_SECONDS = 60.0
#: More redirects than this are a loop.
MOST_REDIRECTS = 10
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


@dataclass(frozen=True, slots=True)
class _Request:
    method: str
    url: str
    headers: Mapping[str, str]
    content: bytes | None


class _Transport(httpx.AsyncBaseTransport):
    """httpcore's pools over our wire, one for each scheme; errors go through as they are."""

    def __init__(self, open_pool: Callable[[str], httpcore.AsyncConnectionPool]) -> None:
        self._open_pool = open_pool
        self._pools: dict[str, httpcore.AsyncConnectionPool] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        if url.scheme not in self._pools:
            self._pools[url.scheme] = self._open_pool(url.scheme)
        assert isinstance(request.stream, httpx.AsyncByteStream)
        response = await self._pools[url.scheme].handle_async_request(
            httpcore.Request(
                method=request.method,
                url=httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(
            response.status, headers=response.headers, stream=_Body(response), extensions=response.extensions
        )

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()


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
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close what is open."""
        if self._client:
            await self._client.aclose()
        self._client = None

    async def _opened(self) -> httpx.AsyncClient:
        context = self._trusting() if self._secure else None
        if self._client and context is self._context:
            return self._client
        await self.close()
        self._context = context
        self._client = httpx.AsyncClient(
            transport=_Transport(self._pool),
            trust_env=False,
            follow_redirects=self._target.follow_redirects,
            max_redirects=MOST_REDIRECTS,
            timeout=None,  # noqa: S113  # the runner's timeout is for the whole look
        )
        # httpx would add headers of its own; those that go out are those that YAML and we name.
        self._client.headers = httpx.Headers()
        return self._client

    def _pool(self, scheme: str) -> httpcore.AsyncConnectionPool:
        """Open a pool; the public certificates cost 60 ms and 2 MB, which only https pays, redirected to or not."""
        return httpcore.AsyncConnectionPool(
            ssl_context=self._trusting() if scheme == "https" else None,
            proxy=_proxy(self._target.proxy) if self._target.proxy else None,
            uds=str(self._target.unix_socket) if self._target.unix_socket else None,
            http2=self._target.http2,
            max_connections=2,
            keepalive_expiry=IDLE_SECONDS,
            network_backend=self.wire,
        )

    def _trusting(self) -> ssl.SSLContext:
        try:
            # Who speaks HTTP/2 has a context of his own: httpcore writes into it what it offers.
            return self._target.tls.context(*(("http/1.1", "h2") if self._target.http2 else ()))
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
        request = _Request(method, url, {**self._headers, **(headers or {})}, content)
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
            return ProbeFailed("error", f"{peer} does not speak HTTP: {said}")
        what = "before the end of its answer" if self.wire.received else "without an answer"
        return ProbeFailed("connect", f"{peer} closed the connection {what}")

    async def _ask(self, asked: _Request, limit: int, began: float) -> Answer:
        client = await self._opened()
        client.cookies.clear()
        request = client.build_request(
            asked.method, asked.url, headers=asked.headers, content=asked.content, extensions=self._extensions
        )
        response = await self._sent(client, request)
        try:
            peer = self.wire.peer or self._address
            self.wire.doing(f"reading the answer of {peer}, which began with status {response.status_code}")
            reading = time.perf_counter()
            try:
                body = await read_body(response, limit)
            finally:
                self.wire.spent("transfer", reading)
        finally:
            await response.aclose()
        stream = response.extensions.get("network_stream")
        return Answer(
            status=response.status_code,
            headers=response.headers,
            body=body,
            version=response.http_version.removeprefix("HTTP/"),
            redirects=len(response.history),
            took_seconds=time.perf_counter() - began,
            tls=stream.get_extra_info("ssl_object") if stream else None,
        )

    async def _sent(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        """Send, follow redirects, and count as processing what was neither look-up, connecting nor TLS."""
        began = time.perf_counter()
        self.wire.doing(f"waiting for the answer of {self._address}")
        try:
            return await client.send(request, stream=True)
        except httpx.TooManyRedirects:
            raise ProbeFailed("status", f"{self._address} redirects more than {MOST_REDIRECTS} times") from None
        except (httpx.InvalidURL, httpx.UnsupportedProtocol, httpcore.UnsupportedProtocol, httpx.RemoteProtocolError):
            raise ProbeFailed("status", f"{self._address} redirects to what is no URL") from None
        except httpcore.ProxyError as exc:
            raise ProbeFailed("connect", f"the proxy refuses: {exc}") from None
        except httpcore.LocalProtocolError as exc:
            raise ProbeFailed("error", f"the request cannot be sent: {exc}") from None
        finally:
            before = sum(self.wire.phases.get(phase, 0.0) for phase in ("resolve", "connect", "tls"))
            self.wire.phases["processing"] = max(0.0, time.perf_counter() - began - before)


def _proxy(url: str) -> httpcore.Proxy:
    """Return a proxy, with the user and password that its URL may hold."""
    proxy = httpx.Proxy(url)
    at = httpcore.URL(scheme=proxy.url.raw_scheme, host=proxy.url.raw_host, port=proxy.url.port, target=b"/")
    return httpcore.Proxy(at, auth=proxy.raw_auth)


@asynccontextmanager
async def opened(target: WebTarget, defaults: Mapping[str, str] | None = None) -> AsyncIterator[Client]:
    """Hold a client open, with default headers that YAML may replace."""
    from sentinel.probes.web.oauth2 import Authorised

    oauth2 = target.auth.oauth2 if target.auth else None
    client = Authorised(target, defaults or {}, oauth2) if oauth2 else Client(target, defaults or {})
    try:
        yield client
    finally:
        await client.close()
