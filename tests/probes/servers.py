"""Real servers on port 0 that answer well, or badly in each way that a target can."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

#: What a server does with one connection, once it has read the head of a request.
Behaviour = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def served(behaviour: Behaviour, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve on a free port of loopback, and yield it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await behaviour(head, writer)
                await writer.drain()
        with suppress(ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def says(body: str | bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Behaviour:
    """Answer every request alike, and keep the connection."""
    content = body.encode() if isinstance(body, str) else body
    lines = {"Content-Length": str(len(content)), **(headers or {})}
    head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(head.encode() + b"\r\n" + content)

    return answer


def writes(raw: bytes, *, close: bool = True) -> Behaviour:
    """Write these bytes, and end the connection."""

    async def answer(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()
        if close:
            writer.close()

    return answer


async def hangs(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def hangs_in_the_body(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Begin an answer and never end it."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    await asyncio.Event().wait()


async def drips(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Send a body byte by byte, so that something always comes and nothing is ever done."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await asyncio.sleep(0.005)


async def closes(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Hang up without a word."""
    writer.transport.abort()
    raise ConnectionError


async def never_ends(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Send a body without end, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    part = b"x" * 65536
    while True:
        writer.write(b"10000\r\n" + part + b"\r\n")
        await writer.drain()


async def never_ends_its_head(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Send headers without end."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        writer.write(b"X-More: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


def bomb(size: int) -> Behaviour:
    """Answer with so many zeros, packed two hundredfold."""
    packed = gzip.compress(bytes(size), 1)
    return says(packed, headers={"Content-Encoding": "gzip"})


async def redirects_for_ever(request: bytes, writer: asyncio.StreamWriter) -> None:
    """Send everybody on to where they are."""
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n")
