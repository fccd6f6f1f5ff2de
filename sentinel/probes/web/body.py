"""Reading a body that nobody vouches for: at most so many bytes, counted after unpacking."""

from __future__ import annotations

import zlib

import httpcore

from sentinel.core.errors import ProbeFailed

#: Bytes taken out of a packed chunk at a time: a gzip bomb unpacks to a thousand times its size.
_STEP = 256 * 1024


async def read_body(response: httpcore.Response, limit: int) -> bytes:
    """Return the body, unpacked.

    Raises:
        ProbeFailed: it is longer than the limit, or packed in a way that was not asked for, or damaged.
    """
    said = (value for name, value in response.headers if name.lower() == b"content-encoding")
    packing = b", ".join(said).decode(errors="replace").strip().lower()
    if packing not in ("identity", "gzip", "x-gzip", ""):
        raise ProbeFailed("expect", f"body is packed as {packing[:20]}, which was not asked for")
    unpack = zlib.decompressobj(wbits=31) if packing.endswith("gzip") else None
    body = bytearray()
    async for chunk in response.aiter_stream():
        if unpack is None:
            body += chunk
        else:
            _unpack(unpack, chunk, body, limit)
        if len(body) > limit:
            raise ProbeFailed("expect", f"body is longer than {limit // 1024:,} KiB")
    if unpack is not None and not unpack.eof:
        raise ProbeFailed("expect", "body is cut off: its gzip has no end")
    return bytes(body)


def _unpack(unpack: zlib._Decompress, chunk: bytes, body: bytearray, limit: int) -> None:
    try:
        while chunk and len(body) <= limit:
            body += unpack.decompress(chunk, _STEP)
            chunk = unpack.unconsumed_tail
    except zlib.error as exc:
        raise ProbeFailed("expect", f"body cannot be unpacked: {exc}") from None
