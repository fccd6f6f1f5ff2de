"""A connection for kinds that speak a protocol of their own: phases, words, and never more in memory than is asked."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import httpcore

from sentinel.core.errors import ProbeFailed
from sentinel.core.web import Tls
from sentinel.probes.address import Place
from sentinel.probes.base import Look
from sentinel.probes.web.wire import Wire

#: The most that is read at a time.
_PART = 64 * 1024


class Line:
    """An open connection."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, wire: Wire, host: str) -> None:
        self._stream, self._wire, self._host = stream, wire, host

    @property
    def peer(self) -> str:
        """Address and port of the other side."""
        return self._wire.peer

    @property
    def tls(self) -> Any:
        """The TLS of the connection, None where there is none."""
        return self._stream.get_extra_info("ssl_object")

    async def agree(self, tls: Tls, *protocols: str, context: ssl.SSLContext | None = None) -> None:
        """Agree on TLS, as its options say or with this context.

        Raises:
            ProbeFailed: tls.
        """
        try:
            trusting = context or tls.context(*protocols)
        except OSError as exc:
            raise ProbeFailed("tls", str(exc)) from exc
        self._stream = await self._stream.start_tls(trusting, tls.server_name or self._host)

    async def send(self, content: bytes) -> None:
        """Send all of it.

        Raises:
            ProbeFailed: connect.
        """
        try:
            await self._stream.write(content)
        except httpcore.NetworkError as exc:
            raise ProbeFailed("connect", f"{self.peer} closed the connection ({exc})") from exc

    async def receive(self, waiting_for: str) -> bytes:
        """Return what comes next.

        Raises:
            ProbeFailed: connect: the peer ended the connection.
        """
        self._wire.doing(f"waiting for {waiting_for} of {self.peer}")
        try:
            received = await self._stream.read(_PART)
        except httpcore.NetworkError as exc:
            raise ProbeFailed("connect", f"{self.peer} closed the connection before {waiting_for} ({exc})") from exc
        if not received:
            raise ProbeFailed("connect", f"{self.peer} closed the connection before {waiting_for}")
        return received

    async def close(self) -> None:
        """Close without ceremony."""
        await self._stream.aclose()


@asynccontextmanager
async def connected(look: Look, kind: str, place: Place, ip: str | None = None) -> AsyncIterator[Line]:
    """Connect, and keep at the end what each phase took: `probe_<kind>_duration_seconds{phase}`.

    Raises:
        ProbeFailed: dns or connect.
    """
    wire = Wire(ip)
    wire.begin(look)
    line = None
    try:
        line = Line(await wire.connect_tcp(*place), wire, place.host)
        yield line
    finally:
        for phase in ("resolve", "connect", *(("tls",) if "tls" in wire.phases else ())):
            look.keep(f"probe_{kind}_duration_seconds", wire.phases.get(phase, 0.0), phase=phase)
        look.keep("probe_dns_lookup_time_seconds", wire.phases.get("resolve", 0.0))
        if line is not None:
            look.keep("probe_ip_protocol", float(wire.ip_protocol))
            with suppress(OSError):
                await line.close()
