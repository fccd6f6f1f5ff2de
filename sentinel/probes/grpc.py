"""grpc: what does a service say of its own health?

    probes:
      catalogue: {grpc: catalogue.internal:50051}
      payments:
        grpc:
          address: payments.internal:50051
          service: payments.v1.Payments
          metadata: {authorization: "Bearer ${SHOP_TOKEN}"}
          tls: {ca: /etc/ssl/internal.pem}

Asks `grpc.health.v1.Health/Check`, the protocol that servers of every language have ready. Needs no gRPC library.

Keys
    address    host and port; the only one that is needed
    service    whose health is asked for; default that of the whole server
    metadata   headers of the call
    tls        ca, cert, key (files of PEM), server_name; `tls: {}` for a server that speaks TLS; default plain
    ip         4 or 6, if only addresses of that version will do

Emits, as blackbox_exporter does
    probe_grpc_duration_seconds{phase}                resolve, connect, tls, check
    probe_grpc_healthcheck_response{serving_status}   1 for the one that was answered, 0 for the others
    probe_grpc_status_code                            of the call: 0 is OK
    probe_grpc_ssl                                    1 over TLS
    probe_dns_lookup_time_seconds                     the phase resolve
    probe_ip_protocol                                 4 or 6
    probe_ssl_earliest_cert_expiry                    when the first certificate of the chain ends; over TLS only
    probe_tls_version_info{version}, probe_tls_cipher_info{cipher}   over TLS only
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING
from urllib.parse import unquote

from pydantic import Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.core.web import Tls
from sentinel.probes.address import AddressWithPort, place
from sentinel.probes.base import Look, ProbeKind, Verdict
from sentinel.probes.web.target import IpVersion

if TYPE_CHECKING:
    from sentinel.probes.line import Line
    from sentinel.probes.web.call import Called

METHOD = "/grpc.health.v1.Health/Check"
#: By number: https://github.com/grpc/grpc/blob/master/src/proto/grpc/health/v1/health.proto
STATUSES = ("UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN")
#: https://grpc.io/docs/guides/status-codes/: those that are no matter of the service's health.
_NOT_FOUND, _DENIED, _UNIMPLEMENTED, _UNAUTHENTICATED = 5, 7, 12, 16


class Grpc(ProbeKind):
    """A server that tells its health."""

    SHORT = "address"

    address: AddressWithPort
    service: str = ""
    metadata: dict[str, str] = Field(default_factory=dict)
    tls: Tls | None = None
    ip: IpVersion | None = None

    def host(self) -> str:
        """Return the address's host."""
        return place(self.address).host

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Ask once."""
        from sentinel.probes.line import connected

        async with connected(look, "grpc", place(self.address), self.ip) as line:
            if self.tls is not None:
                await self._agree(line, look)
            called = await self._call(line, look)
        look.keep("probe_grpc_ssl", float(self.tls is not None))
        look.keep("probe_grpc_status_code", float(called.code))
        status = _status(called, self.service)
        for name in STATUSES:
            look.keep("probe_grpc_healthcheck_response", float(name == status), serving_status=name)
        of = self.service or "the server"
        words = "" if status == "SERVING" else f"{of} is {status}"
        look.judge([Verdict("service", f"{of} is SERVING", words, "status")])
        return []

    async def _agree(self, line: Line, look: Look) -> None:
        from sentinel.probes.web.chain import describe_tls

        assert self.tls is not None
        await line.agree(self.tls, "h2")
        describe_tls(line.tls, look)

    async def _call(self, line: Line, look: Look) -> Called:
        from sentinel.probes.web.call import call

        scheme = "http" if self.tls is None else "https"
        named = self.service.encode()
        request = b"\x0a" + _varint(len(named)) + named if named else b""
        began = time.perf_counter()
        try:
            return await call(line, scheme, self.address, METHOD, request, self.metadata)
        finally:
            look.keep("probe_grpc_duration_seconds", time.perf_counter() - began, phase="check")


def _status(called: Called, service: str) -> str:
    """Return the status that was answered.

    Raises:
        ProbeFailed: the call did not succeed, or its answer is none of the protocol.
    """
    message = unquote(called.message)[:200]
    match called.code:
        case 0:
            # HealthCheckResponse{status}: one number under tag 1, left out where it is 0.
            number = called.answer[1] if len(called.answer) >= 2 and called.answer[0] == 0x08 else 0
            return STATUSES[number] if number < len(STATUSES) else "UNKNOWN"
        case code if code == _NOT_FOUND and service:
            return "SERVICE_UNKNOWN"
        case code if code == _UNIMPLEMENTED:
            raise ProbeFailed("error", f"the server does not tell its health (no grpc.health.v1.Health): {message}")
        case code:
            reason = "auth" if code in (_DENIED, _UNAUTHENTICATED) else "status"
            raise ProbeFailed(reason, f"the call ended with gRPC status {code}: {message}")


def _varint(number: int) -> bytes:
    """Write a number as Protocol Buffers do."""
    written = bytearray()
    while number > 0x7F:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])
