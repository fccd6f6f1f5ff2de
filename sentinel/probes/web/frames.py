"""WebSocket's client side (RFC 6455): the upgrade, and messages in frames."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping

from sentinel.core.errors import ProbeFailed
from sentinel.probes.extract import shown
from sentinel.probes.line import Line

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_HEAD_LIMIT = 16 * 1024
#: Of one message; what is longer is no sign of life.
MESSAGE_LIMIT = 256 * 1024
_CONTINUED, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0, 1, 2, 8, 9, 10


class Frames:
    """Messages over a connection."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._heard = bytearray()

    async def upgrade(self, target: str, headers: Mapping[str, str]) -> int:
        """Ask for WebSocket; return the status of the answer, 101 if it is agreed.

        Raises:
            ProbeFailed: the peer speaks no HTTP, or agrees to what was not asked.
        """
        key = base64.b64encode(os.urandom(16))
        asked = {
            **headers,
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": key.decode(),
            "Sec-WebSocket-Version": "13",
        }
        lines = "".join(f"{name}: {value}\r\n" for name, value in asked.items())
        await self._line.send(f"GET {target} HTTP/1.1\r\n{lines}\r\n".encode())
        while (end := self._heard.find(b"\r\n\r\n")) < 0:
            if len(self._heard) > _HEAD_LIMIT:
                raise ProbeFailed("error", f"{self._line.peer} does not speak HTTP: {shown(bytes(self._heard[:200]))}")
            self._heard += await self._line.receive("the answer")
        first, *rest = self._heard[:end].decode("latin-1").split("\r\n")
        del self._heard[: end + 4]
        version, _, said = first.partition(" ")
        if not version.startswith("HTTP/") or not said[:3].isdigit():
            raise ProbeFailed("error", f"{self._line.peer} does not speak HTTP: {shown(first)}")
        answered = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        wanted = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
        if (status := int(said[:3])) == 101 and answered.get("sec-websocket-accept") != wanted:
            raise ProbeFailed("error", f"{self._line.peer} agrees to WebSocket with a wrong key")
        return status

    async def send(self, text: str) -> None:
        """Send a message."""
        await self._send(_TEXT, text.encode())

    async def receive(self, waiting_for: str) -> bytes:
        """Return the next message.

        Raises:
            ProbeFailed: the peer ended the connection, or says what is no message.
        """
        message = bytearray()
        while True:
            final, kind, payload = await self._frame(waiting_for)
            match kind:
                case _ if kind == _PING:
                    await self._send(_PONG, payload)
                case _ if kind == _PONG:
                    pass
                case _ if kind == _CLOSE:
                    code, why = int.from_bytes(payload[:2], "big"), payload[2:]
                    said = f" (code {code}{f': {shown(why)}' if why else ''})" if code else ""
                    raise ProbeFailed("expect", f"{self._line.peer} closed before {waiting_for}{said}")
                case _ if kind in (_CONTINUED, _TEXT, _BINARY):
                    message += payload
                    if final:
                        return bytes(message)
                case _:
                    raise ProbeFailed("error", f"{self._line.peer} does not speak WebSocket: frame of kind {kind}")
            if len(message) > MESSAGE_LIMIT:
                raise self._too_long()

    async def close(self) -> None:
        """Say goodbye; the answer is not waited for."""
        await self._send(_CLOSE, (1000).to_bytes(2, "big"))

    async def _frame(self, waiting_for: str) -> tuple[bool, int, bytes]:
        first, second = await self._take(2, waiting_for)
        length = second & 0x7F
        if length >= 126:
            length = int.from_bytes(await self._take(2 if length == 126 else 8, waiting_for), "big")
        if length > MESSAGE_LIMIT:
            raise self._too_long()
        if second & 0x80:
            raise ProbeFailed("error", f"{self._line.peer} does not speak WebSocket: a server masks nothing")
        return bool(first & 0x80), first & 0x0F, await self._take(length, waiting_for)

    async def _take(self, count: int, waiting_for: str) -> bytes:
        while len(self._heard) < count:
            self._heard += await self._line.receive(waiting_for)
        taken = bytes(self._heard[:count])
        del self._heard[:count]
        return taken

    async def _send(self, kind: int, payload: bytes) -> None:
        mask, size = os.urandom(4), len(payload)
        if size < 126:
            length = bytes([0x80 | size])
        elif size < 1 << 16:
            length = bytes([0x80 | 126]) + size.to_bytes(2, "big")
        else:
            length = bytes([0x80 | 127]) + size.to_bytes(8, "big")
        masked = bytes(byte ^ mask[at % 4] for at, byte in enumerate(payload))
        await self._line.send(bytes([0x80 | kind]) + length + mask + masked)

    def _too_long(self) -> ProbeFailed:
        return ProbeFailed("expect", f"{self._line.peer} sends a message of more than {MESSAGE_LIMIT // 1024} KiB")
