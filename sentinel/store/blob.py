"""Numbers in few bytes: differences, bytes of one significance side by side, zlib; and a checksum. Needs numpy."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Whole numbers by their width in bytes.
_WIDTHS: dict[int, type[np.signedinteger[Any]]] = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}


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


def deflate(numbers: NDArray[np.int64]) -> tuple[bytes, int]:
    """Compress numbers; return the bytes, and how many bytes each number needed before that."""
    low, high = int(numbers.min(initial=0)), int(numbers.max(initial=0))
    kind = next(kind for kind in _WIDTHS.values() if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max)
    narrow = numbers.astype(kind)
    planes = narrow.view(np.uint8).reshape(len(narrow), narrow.itemsize).T.tobytes()
    return zlib.compress(planes, 1, -zlib.MAX_WBITS), narrow.itemsize


def inflate(body: bytes, count: int, width: int) -> NDArray[Any]:
    """Return the numbers that `deflate` was given.

    Args:
        body: what it made.
        count: how many numbers they were.
        width: bytes of each.

    Raises:
        Damaged: the bytes are not those of so many numbers.
    """
    try:
        raw = zlib.decompress(body, -zlib.MAX_WBITS)
    except zlib.error as exc:
        raise Damaged(str(exc)) from exc
    if len(raw) != count * width:
        raise Damaged(f"{len(raw)} bytes where {count * width} were expected")
    if width == 1:
        return np.frombuffer(raw, np.int8)
    planes = np.frombuffer(raw, np.uint8).reshape(width, count)
    return np.ascontiguousarray(planes.T).view(_WIDTHS[width]).reshape(count)


def checksum(*parts: bytes) -> int:
    """Return the CRC-32 over all parts."""
    crc = 0
    for part in parts:
        crc = zlib.crc32(part, crc)
    return crc
