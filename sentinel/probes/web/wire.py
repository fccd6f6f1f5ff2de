"""The wire below HTTP: connections over asyncio's streams that know what each phase took and why one failed.

httpcore's own backends hide the name look-up inside the connecting and speak in exceptions; the person on call wants
"connection refused by 10.0.0.3:5432 after 2 ms", and `probe_http_duration_seconds` its phases.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable
from typing import Any

import httpcore

from sentinel.core.errors import ProbeFailed
from sentinel.probes.base import Look
from sentinel.probes.threads import in_thread

#: A socket address as the name look-up gives it: family and what `connect` takes.
Address = tuple[int, Any]


class Wire(httpcore.AsyncNetworkBackend):
    """Opens the connections of one probe, which never asks twice at a time.

    Args:
        ip: "4" or "6" where only addresses of this version will do.
    """

    def __init__(self, ip: str | None = None) -> None:
        self._ip = ip
        self.phases: dict[str, float] = {}
        self.opened = self.received = 0
        self.peer = ""
        self.ip_protocol = 0
        self._look: Look | None = None
        self._lookup: tuple[tuple[str, int], asyncio.Future[list[Address]]] | None = None

    def begin(self, look: Look) -> None:
        """Begin a look: its phases count from nothing."""
        self._look, self.phases, self.opened, self.received = look, {}, 0, 0
        look.peer = self.peer  # the connection of an earlier look may do

    def spent(self, phase: str, since: float) -> float:
        """Add the time since then to a phase, and return it in milliseconds."""
        took = time.perf_counter() - since
        self.phases[phase] = self.phases.get(phase, 0.0) + took
        return took * 1000

    def doing(self, what: str) -> None:
        """Say what is waited for, in case that the timeout comes."""
        if self._look:
            self._look.doing = what

    def _connected(self, peer: str) -> None:
        self.opened, self.peer = self.opened + 1, peer
        if self._look:
            self._look.peer = peer

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Look the name up and connect to the first address that answers."""
        addresses = await self.resolve(host, port)
        problems: list[str] = []
        # A dead first address must not eat the time of the next one.
        share = (self._look.timeout_seconds if self._look else 10.0) / len(addresses)
        for count, (family, address) in enumerate(addresses, start=1):
            peer = f"[{address[0]}]:{address[1]}" if family == socket.AF_INET6 else f"{address[0]}:{address[1]}"
            self.doing(f"connecting to {peer}")
            began = time.perf_counter()
            try:
                async with asyncio.timeout(share if count < len(addresses) else None):
                    reader, writer = await asyncio.open_connection(address[0], address[1], family=family)
            except ConnectionRefusedError:
                problems.append(f"connection refused by {peer} after {self.spent('connect', began):.0f} ms")
            except TimeoutError:
                problems.append(f"no answer from {peer} after {self.spent('connect', began):.0f} ms")
            except OSError as exc:
                self.spent("connect", began)
                problems.append(f"cannot connect to {peer}: {(exc.strerror or str(exc)).lower()}")
            else:
                self.spent("connect", began)
                self._connected(peer)
                self.ip_protocol = 6 if family == socket.AF_INET6 else 4
                self.doing(f"connected to {peer}, waiting for its answer")
                return Stream(reader, writer, self)
        raise ProbeFailed("connect", "; ".join(problems))

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Connect to a socket of this machine."""
        self.doing(f"connecting to {path}")
        began = time.perf_counter()
        try:
            reader, writer = await asyncio.open_unix_connection(path)
        except OSError as exc:
            raise ProbeFailed("connect", f"cannot connect to {path}: {(exc.strerror or str(exc)).lower()}") from None
        finally:
            self.spent("connect", began)
        self._connected(path)
        self.ip_protocol = 0
        self.doing(f"connected to {path}, waiting for its answer")
        return Stream(reader, writer, self)

    async def resolve(self, host: str, port: int) -> list[Address]:
        """Return the addresses of a host, of the version that is wanted.

        Raises:
            ProbeFailed: there is none.
        """
        found = await self._resolve(host, port)
        family = {"4": socket.AF_INET, "6": socket.AF_INET6}.get(self._ip or "")
        if not (fitting := [address for address in found if family in (None, address[0])]):
            raise ProbeFailed("dns", f"{host} has no address of IPv{self._ip}, only {found[0][1][0]}")
        return fitting

    async def _resolve(self, host: str, port: int) -> list[Address]:
        """Look a name up in a thread; a look-up that hangs is waited for again, so there is one thread per probe."""
        try:
            literal = ipaddress.ip_address(host)
        except ValueError:
            pass
        else:
            return [(socket.AF_INET6 if literal.version == 6 else socket.AF_INET, (host, port))]
        self.doing(f"looking up {host}")
        began = time.perf_counter()
        if self._lookup is None or self._lookup[0] != (host, port) or self._lookup[1].done():
            self._lookup = ((host, port), in_thread(lambda: _addresses(host, port), f"lookup {host}"))
        try:
            return await asyncio.shield(self._lookup[1])
        except OSError as exc:
            took = (time.perf_counter() - began) * 1000
            raise ProbeFailed("dns", f"{host} is not found: {exc.strerror} (after {took:.0f} ms)") from None
        except UnicodeError:
            raise ProbeFailed("dns", f"{host} is not a host's name") from None
        finally:
            self.spent("resolve", began)


def _addresses(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [(family, address) for family, _, _, _, address in found]


class Stream(httpcore.AsyncNetworkStream):
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wire: Wire) -> None:
        self._reader, self._writer, self._wire = reader, writer, wire

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what there is, at most so much."""
        try:
            received = await self._reader.read(max_bytes)
        except OSError as exc:
            raise httpcore.ReadError(exc.strerror or str(exc)) from exc
        self._wire.received += len(received)
        return received

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all of it."""
        try:
            self._writer.write(buffer)
            await self._writer.drain()
        except OSError as exc:
            raise httpcore.WriteError(exc.strerror or str(exc)) from exc

    async def aclose(self) -> None:
        """Close without ceremony: a peer that never says goodbye must not be waited for."""
        self._writer.transport.abort()

    async def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        """Agree on TLS."""
        self._wire.doing(f"agreeing on TLS with {self._wire.peer}")
        began = time.perf_counter()
        try:
            await self._writer.start_tls(ssl_context, server_hostname=server_hostname)
        except ssl.SSLCertVerificationError as exc:
            words = f"certificate of {server_hostname} is not accepted: {exc.verify_message.rstrip('.').lower()}"
            raise self._broken(words) from None
        except ssl.SSLError as exc:
            why = (exc.reason or str(exc)).lower().replace("_", " ")
            raise self._broken(f"{self._wire.peer} does not agree on TLS: {why}") from None
        except (OSError, EOFError):
            raise self._broken(f"{self._wire.peer} ended the connection while agreeing on TLS") from None
        finally:
            self._wire.spent("tls", began)
        self._wire.doing(f"connected to {self._wire.peer}, waiting for its answer")
        return self

    def _broken(self, words: str) -> ProbeFailed:
        self._writer.transport.abort()
        return ProbeFailed("tls", words)

    def get_extra_info(self, info: str) -> Any:
        """Answer what httpcore asks: whether an idle connection was closed by the peer, and what TLS agreed on."""
        if info == "is_readable":
            return self._reader.at_eof() or self._writer.is_closing() or self._reader.exception() is not None
        if info == "server_addr":
            return self._writer.get_extra_info("peername")
        return self._writer.get_extra_info(info)
