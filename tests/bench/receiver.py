"""A receiver in a process of its own, as quick as Python can make one, so that who sends is measured and not this.

`python receiver.py` prints its port. `GET /seen` returns what it took as JSON lines, `POST /answer/<status>` lets it
answer so from now on (`/answer/429/7` with `Retry-After: 7`; `/answer/0` says nothing until it is told to say something
again), `POST /forget` begins anew. It is a target as well:
`GET /metrics/<any>` returns what was posted there last.
"""

from __future__ import annotations

import asyncio
import json
import time

#: Where the peers tell.
_TOLD = ("/am", "/hook")


class Receiver:
    """What was taken, and how it answers."""

    def __init__(self) -> None:
        self.taken: list[tuple[float, bytes]] = []
        self.refused: list[float] = []
        self.metrics: dict[str, bytes] = {}
        self.scraped_at = 0.0
        self.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        self.accepts = True
        self.held: list[tuple[asyncio.Transport, bytes]] | None = None  # while it does not answer

    def handle(self, method: str, path: str, body: bytes) -> bytes:
        """Return the whole answer to one request."""
        if path.startswith("/seen"):
            lines = [json.dumps({"refused": len(self.refused)}).encode()]
            lines += [b'{"at": %f, "body": %s}' % (at, body.strip() or b"null") for at, body in self.taken]
            return _whole(b"\n".join(lines))
        if path == "/scraped":
            return _whole(repr(self.scraped_at).encode())
        if path == "/count":
            return _whole(str(len(self.taken)).encode())
        if path.startswith("/metrics/"):
            if method == "POST":
                self.metrics[path], self.scraped_at = body, 0.0
            else:
                self.scraped_at = self.scraped_at or time.time()
            return _whole(b"" if method == "POST" else self.metrics.get(path, b""))
        if path == "/forget":
            self.taken, self.refused = [], []
            return _whole(b"")
        if path.startswith("/answer/"):
            status, _, after = path.removeprefix("/answer/").partition("/")
            self.accepts = status == "200"
            header = f"Retry-After: {after}\r\n" if after else ""
            held, self.held = self.held or [], [] if status == "0" else None
            self.answer = f"HTTP/1.1 {status} As told\r\n{header}Content-Length: 0\r\n\r\n".encode()
            for transport, kept in held:
                if not transport.is_closing():
                    transport.write(self.handle("POST", "/", kept))
            return _whole(b"")
        if self.accepts:
            self.taken.append((time.time(), body))
        else:
            self.refused.append(time.time())
        return self.answer


def _whole(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Connection(asyncio.Protocol):
    """One connection, kept alive; requests carry a Content-Length, as those of both peers do."""

    def __init__(self, receiver: Receiver) -> None:
        self._receiver, self._buffer = receiver, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].decode("latin-1").split("\r\n")
            named = (line.partition(":") for line in head[1:])
            length = int(next((value for name, _, value in named if name.lower() == "content-length"), "0"))
            if len(self._buffer) < end + 4 + length:
                return
            body, self._buffer = self._buffer[end + 4 : end + 4 + length], self._buffer[end + 4 + length :]
            method, path, _ = head[0].split(" ", 2)
            if self._receiver.held is not None and path in _TOLD:
                self._receiver.held.append((self._transport, body))
                self._receiver.refused.append(time.time())
            else:
                self._transport.write(self._receiver.handle(method, path, body))


async def main() -> None:
    """Listen until killed."""
    receiver = Receiver()
    server = await asyncio.get_running_loop().create_server(
        lambda: Connection(receiver), "127.0.0.1", 0, backlog=16_384
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
