"""Numbers in few bytes: differences, bytes of one significance side by side, zlib; and a checksum. Needs numpy."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Damaged(ValueError):
    """A blob is not what was written."""


def pack(*arrays: NDArray[Any]) -> bytes:
    """Compress arrays of equal length.

    In neighbouring numbers the high bytes seldom differ; written plane by plane they make long runs, which zlib's
    fastest level folds away.
    """
    planes = [np.ascontiguousarray(a).view(np.uint8).reshape(len(a), a.itemsize).T.tobytes() for a in arrays]
    return zlib.compress(b"".join(planes), 1)


def unpack(body: bytes, count: int, *kinds: type[np.generic]) -> list[NDArray[Any]]:
    """Return the arrays that `pack` was given.

    Args:
        body: what `pack` made.
        count: length of each array.
        kinds: their types.

    Raises:
        Damaged: the bytes are not those of so many numbers.
    """
    try:
        raw = np.frombuffer(zlib.decompress(body), np.uint8)
    except zlib.error as exc:
        raise Damaged(str(exc)) from exc
    sizes = [np.dtype(kind).itemsize for kind in kinds]
    if len(raw) != count * sum(sizes):
        raise Damaged(f"{len(raw)} bytes where {count * sum(sizes)} were expected")
    arrays, at = [], 0
    for kind, size in zip(kinds, sizes, strict=True):
        plane = raw[at : at + count * size].reshape(size, count)
        arrays.append(np.ascontiguousarray(plane.T).view(kind).reshape(count))
        at += count * size
    return arrays


def checksum(*parts: bytes) -> int:
    """Return the CRC-32 over all parts."""
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc
