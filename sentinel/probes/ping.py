"""ping: does a host answer, and how fast?

    probes:
      gateway: {ping: 192.0.2.1}
      office:
        ping: {host: office.example.com, packets: 5, lost_at_most: 20%, within: 100ms}

Sends ICMP's echo requests over a socket that needs no privilege. Linux allows it to the groups that
`sysctl net.ipv4.ping_group_range` names; where the agent's is not among them it needs the capability NET_RAW, and where
it has neither, the failure says so.

Keys
    host          name or address; the only one that is needed
    packets       how many are sent, one after the other; default 1
    lost_at_most  what share of them may stay without an answer; default 0%
    within        how long the slowest answer may take
    ip            4 or 6, if only addresses of that version will do

Emits, as blackbox_exporter does
    probe_icmp_duration_seconds{phase}  resolve, setup, rtt (the average of the answers)
    probe_icmp_lost_ratio               the share of packets without an answer
    probe_dns_lookup_time_seconds       the phase resolve
    probe_ip_protocol                   4 or 6
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Annotated

from pydantic import AfterValidator, Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import PositiveDuration, Ratio
from sentinel.core.quantity import format_duration
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind, Verdict
from sentinel.probes.web.target import IpVersion

#: Type of an echo request and of its answer, by family (RFC 792, RFC 4443).
_TYPES = {socket.AF_INET: (8, 0), socket.AF_INET6: (128, 129)}
_PAYLOAD = 16


def _host(text: str) -> str:
    if not re.fullmatch(r"[^\s/\[\]]+", text):
        raise ValueError(f'"{text}" is not a host, such as office.example.com or 192.0.2.1')
    return text


class Ping(ProbeKind):
    """A host that answers."""

    SHORT = "host"

    host_: Annotated[str, AfterValidator(_host)] = Field(alias="host")
    packets: int = Field(1, ge=1, le=100)
    lost_at_most: Ratio = 0.0
    within: PositiveDuration | None = None
    ip: IpVersion | None = None

    def host(self) -> str:
        """Return the host."""
        return self.host_

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Import what a look needs before the first one is timed: it shares its timeout among its packets."""
        import sentinel.probes.web.wire  # noqa: F401

        yield self.measure

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Send the packets, and wait for each answer as long as the look leaves for it."""
        from sentinel.probes.web.wire import Wire

        wire = Wire(self.ip)
        wire.begin(look)
        try:
            family, address = (await wire.resolve(self.host_, 0))[0]
        finally:
            resolving = wire.phases.get("resolve", 0.0)
            look.keep("probe_icmp_duration_seconds", resolving, phase="resolve")
            look.keep("probe_dns_lookup_time_seconds", resolving)
        look.keep("probe_ip_protocol", 6.0 if family == socket.AF_INET6 else 4.0)
        began = time.perf_counter()
        with _opened(family) as echo:
            _connect(echo, address)
            look.keep("probe_icmp_duration_seconds", time.perf_counter() - began, phase="setup")
            wire.doing(f"waiting for the answer of {address[0]}")
            # A little is left over, so that it is told how many were lost.
            share = look.timeout_seconds * 0.9 / self.packets
            took = [await _sent(echo, family, number, share) for number in range(self.packets)]
        answered = [seconds for seconds in took if seconds is not None]
        if answered:
            look.keep("probe_icmp_duration_seconds", sum(answered) / len(answered), phase="rtt")
        look.keep("probe_icmp_lost_ratio", 1 - len(answered) / len(took))
        look.judge(self._verdicts(str(address[0]), answered))
        return []

    def _verdicts(self, address: str, answered: Sequence[float]) -> Iterator[Verdict]:
        lost = 1 - len(answered) / self.packets
        words = f"{address} answers {len(answered)} of {self.packets} packets"
        late = lost > self.lost_at_most + 1e-9
        yield Verdict("lost_at_most", f"at most {self.lost_at_most:.0%} lost", words if late else "", "timeout")
        if self.within is not None and answered:
            slowest, limit = max(answered), format_duration(self.within)
            slow = slowest > self.within.total_seconds()
            words = f"{address} answers after {slowest * 1000:.1f} ms, expected within {limit}" if slow else ""
            yield Verdict("within", f"within {limit}", words)


def _opened(family: int) -> socket.socket:
    protocol = socket.IPPROTO_ICMPV6 if family == socket.AF_INET6 else socket.IPPROTO_ICMP
    for kind in (socket.SOCK_DGRAM, socket.SOCK_RAW):
        try:
            echo = socket.socket(family, kind, protocol)
        except PermissionError:
            continue
        except OSError as exc:
            raise ProbeFailed("error", f"ICMP is not to be had here: {(exc.strerror or str(exc)).lower()}") from exc
        echo.setblocking(False)
        return echo
    group = os.getgid()
    words = f"ICMP is not allowed to group {group} here: sysctl -w net.ipv4.ping_group_range='{group} {group}'"
    raise ProbeFailed("error", f"{words}, or give the agent the capability NET_RAW")


def _connect(echo: socket.socket, address: tuple[str, int]) -> None:
    try:
        echo.connect(address)
    except OSError as exc:
        raise ProbeFailed("connect", f"no way to {address[0]}: {(exc.strerror or str(exc)).lower()}") from exc


def _request(kind: int, number: int, payload: bytes) -> bytes:
    """Return an echo request with its checksum (RFC 1071)."""
    packet = bytes([kind, 0, 0, 0, 0, 0, *number.to_bytes(2, "big")]) + payload
    total = sum(int.from_bytes(packet[at : at + 2], "big") for at in range(0, len(packet), 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return packet[:2] + (~total & 0xFFFF).to_bytes(2, "big") + packet[4:]


async def _sent(echo: socket.socket, family: int, number: int, within_seconds: float) -> float | None:
    """Send one request; return the seconds until its answer, None if none came."""
    ask, answer = _TYPES[socket.AddressFamily(family)]
    loop, payload, began = asyncio.get_running_loop(), os.urandom(_PAYLOAD), time.perf_counter()
    try:
        async with asyncio.timeout(within_seconds):
            await loop.sock_sendall(echo, _request(ask, number, payload))
            while True:
                # A raw socket hears what others are answered too, behind a header of IP.
                received = await loop.sock_recv(echo, 1024)
                if received.endswith(payload) and received[-_PAYLOAD - 8] == answer:
                    return time.perf_counter() - began
    except TimeoutError:
        return None
    except OSError as exc:
        raise ProbeFailed("connect", f"cannot ask: {(exc.strerror or str(exc)).lower()}") from exc
