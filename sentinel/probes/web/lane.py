"""One connection of HTTP/1.1, kept from look to look: h11 over our wire.

A probe never asks twice at a time, so it needs none of the locks of httpcore's pool, which cost more than all the rest
of a look. What a pool is needed for (HTTP/2, a proxy) still goes through one; a lane answers as a pool does.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress
from typing import Any

import h11
import httpcore

from sentinel.probes.web.wire import Wire

#: A head that is longer is none.
_HEAD_LIMIT = 100 * 1024
_CHUNK = 64 * 1024


class Lane:
    """Asks one place.

    Args:
        wire: opens the connection.
        context: for https.
        unix_socket: path of the socket that is asked instead of the URL's host.
        idle_seconds: a connection that was idle so long is not used again.
    """

    def __init__(self, wire: Wire, context: ssl.SSLContext | None, unix_socket: str, idle_seconds: float) -> None:
        self._wire, self._context, self._unix_socket = wire, context, unix_socket
        self._idle_seconds = idle_seconds
        self._origin: httpcore.Origin | None = None
        self._stream: httpcore.AsyncNetworkStream | None = None
        self._talk = h11.Connection(h11.CLIENT)
        self._idle_since = 0.0

    async def aclose(self) -> None:
        """Close what is open."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.aclose()

    async def handle_async_request(self, request: httpcore.Request) -> httpcore.Response:
        """Send a request, and return its answer when its head is there.

        Raises:
            ProbeFailed: there is no connection to be had.
            httpcore.NetworkError: it broke.
            httpcore.ProtocolError: one of the two does not speak HTTP.
        """
        stream = await self._connected(request)
        try:
            with suppress(httpcore.WriteError):  # who refuses a long body may answer and hang up before its end
                await stream.write(await self._words(request))
            head = await self._event(stream)
            while not isinstance(head, h11.Response):  # what is informational comes before it
                head = await self._event(stream)
        except BaseException:
            await self.aclose()
            raise
        return httpcore.Response(
            head.status_code,
            headers=head.headers.raw_items(),
            content=_Body(self, stream),
            extensions={"http_version": b"HTTP/" + head.http_version, "network_stream": stream},
        )

    async def _connected(self, request: httpcore.Request) -> httpcore.AsyncNetworkStream:
        origin = request.url.origin
        if self._stream is not None and (
            origin != self._origin
            or time.perf_counter() - self._idle_since > self._idle_seconds
            or self._stream.get_extra_info("is_readable")  # the peer has closed it
        ):
            await self.aclose()
        if self._stream is None:
            host = origin.host.decode("ascii")
            if self._unix_socket:
                stream = await self._wire.connect_unix_socket(self._unix_socket)
            else:
                stream = await self._wire.connect_tcp(host, origin.port)
            if self._context is not None:
                name = request.extensions.get("sni_hostname") or host
                stream = await stream.start_tls(self._context, server_hostname=name)
            self._stream, self._origin = stream, origin
            self._talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=_HEAD_LIMIT)
        return self._stream

    async def _words(self, request: httpcore.Request) -> bytes:
        """Return a request as it goes out, in one piece."""
        assert isinstance(request.stream, AsyncIterable)
        body = b"".join([part async for part in request.stream])
        try:
            head = h11.Request(method=request.method, target=request.url.target, headers=request.headers)
            events: tuple[h11.Event, ...] = (
                (head, h11.Data(body), h11.EndOfMessage()) if body else (head, h11.EndOfMessage())
            )
            return b"".join(self._talk.send(event) or b"" for event in events)
        except h11.LocalProtocolError as exc:
            raise httpcore.LocalProtocolError(str(exc)) from exc

    async def _event(self, stream: httpcore.AsyncNetworkStream) -> Any:
        """Return what comes next."""
        while True:
            try:
                event = self._talk.next_event()
            except h11.RemoteProtocolError as exc:
                raise httpcore.RemoteProtocolError(str(exc)) from exc
            if event is not h11.NEED_DATA:
                return event
            received = await stream.read(_CHUNK)
            if not received and self._talk.their_state is h11.SEND_RESPONSE:
                raise httpcore.RemoteProtocolError("the server disconnected without an answer")
            self._talk.receive_data(received)

    async def parts(self, stream: httpcore.AsyncNetworkStream) -> AsyncIterator[bytes]:
        """Iterate over the body that follows a head."""
        while isinstance(event := await self._event(stream), h11.Data):
            yield bytes(event.data)

    async def answered(self) -> None:
        """Keep the connection if the answer was read to its end and nothing came behind it, else close it."""
        ended = self._talk.our_state is h11.DONE and self._talk.their_state is h11.DONE
        if ended and not self._talk.trailing_data[0]:
            self._talk.start_next_cycle()
            self._idle_since = time.perf_counter()
        else:
            await self.aclose()


class _Body:
    """The body of an answer, as httpcore wants it."""

    def __init__(self, lane: Lane, stream: httpcore.AsyncNetworkStream) -> None:
        self._lane, self._stream = lane, stream

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._lane.parts(self._stream)

    async def aclose(self) -> None:
        await self._lane.answered()
