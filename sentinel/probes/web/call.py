"""One call of gRPC over a connection of its own (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from sentinel import __version__
from sentinel.core.errors import ProbeFailed
from sentinel.probes.line import Line

#: Of an answer: one that is longer is none of health.
_LIMIT = 64 * 1024


@dataclass(slots=True)
class Called:
    """How a call ended.

    Args:
        code: gRPC's status, 0 is OK.
        message: that the server has for it, percent-encoded.
        answer: the message that came back.
    """

    code: int = -1
    message: str = ""
    answer: bytes = b""


@dataclass(slots=True)
class _Heard:
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    ended: bool = False


async def call(
    line: Line, scheme: str, authority: str, method: str, message: bytes, metadata: Mapping[str, str]
) -> Called:
    """Send one message and return what comes back.

    Raises:
        ProbeFailed: the peer speaks no gRPC, or ends the connection.
    """
    http2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    http2.initiate_connection()
    stream = http2.get_next_available_stream_id()
    headers = {
        ":method": "POST", ":scheme": scheme, ":authority": authority, ":path": method,
        "te": "trailers", "content-type": "application/grpc", "user-agent": f"Sentinel/{__version__}",
        **{name.lower(): value for name, value in metadata.items()},
    }  # fmt: skip
    http2.send_headers(stream, list(headers.items()))
    http2.send_data(stream, b"\0" + len(message).to_bytes(4, "big") + message, end_stream=True)
    heard = _Heard()
    while not heard.ended:
        await line.send(http2.data_to_send())
        try:
            for event in http2.receive_data(await line.receive("the answer")):
                _hear(heard, event, http2)
        except (h2.exceptions.ProtocolError, UnicodeDecodeError) as exc:
            raise ProbeFailed("error", f"{line.peer} does not speak HTTP/2: {exc}") from exc
        if len(heard.body) > _LIMIT:
            raise ProbeFailed("expect", f"{line.peer} answers with more than {_LIMIT // 1024} KiB")
    return _called(line, heard)


def _hear(heard: _Heard, event: Any, http2: h2.connection.H2Connection) -> None:
    match event:
        case h2.events.ResponseReceived() | h2.events.TrailersReceived():
            heard.headers |= {str(name): str(value) for name, value in event.headers}
        case h2.events.DataReceived():
            heard.body += event.data
            http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        case h2.events.StreamEnded():
            heard.ended = True
        case h2.events.StreamReset() | h2.events.ConnectionTerminated():
            raise ProbeFailed("error", f"the server ended the call (HTTP/2 error {int(event.error_code or 0)})")


def _called(line: Line, heard: _Heard) -> Called:
    status, code = heard.headers.get(":status", ""), heard.headers.get("grpc-status", "")
    if not code.isdigit():
        raise ProbeFailed("auth" if status in ("401", "403") else "error", f"{line.peer} answers {status}, not as gRPC")
    # One message: a byte that says whether it is packed, four of its length.
    return Called(int(code), heard.headers.get("grpc-message", ""), bytes(heard.body[5:]))
