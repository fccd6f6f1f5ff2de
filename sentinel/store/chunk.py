"""A chunk: up to 120 samples of one series, in about two bytes each. Needs numpy.

Times are written as differences of differences (zero while the probe keeps its pace), values as the bits that differ
from the value before (zero while it stands still); every bit of a value comes back, those of stale markers included.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentinel.store.blob import Damaged, checksum, pack, unpack

#: Samples in a full chunk: half an hour at one each 15 s.
FULL = 120

_FACTS = struct.Struct("<qqqq")  # series, start, end, count: covered by the checksum, since they are columns


@dataclass(frozen=True, slots=True)
class Chunk:
    """One row of the table `chunk`, as its columns say."""

    series: int
    start_ms: int
    end_ms: int
    count: int
    body: bytes
    checksum: int


def encode(series: int, ts: NDArray[np.int64], v: NDArray[np.float64]) -> Chunk:
    """Compress samples of one series, ascending in time."""
    start, end, count = int(ts[0]), int(ts[-1]), len(ts)
    steps = np.diff(ts, prepend=start)
    bits = v.view(np.uint64)
    changed = bits.copy()
    changed[1:] ^= bits[:-1]
    body = pack(np.diff(steps, prepend=0), changed)
    return Chunk(series, start, end, count, body, _checksum(series, start, end, count, body))


def decode(chunk: Chunk) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return a chunk's times and values.

    Raises:
        Damaged: the chunk is not what was written.
    """
    found = _checksum(chunk.series, chunk.start_ms, chunk.end_ms, chunk.count, chunk.body)
    if found != chunk.checksum:
        raise Damaged(f"its checksum is {found:08x}, not {chunk.checksum:08x}")
    jerks, changed = unpack(chunk.body, chunk.count, np.int64, np.uint64)
    ts = np.cumsum(np.cumsum(jerks)) + chunk.start_ms
    v = np.bitwise_xor.accumulate(changed).view(np.float64)
    return ts, v


def _checksum(series: int, start: int, end: int, count: int, body: bytes) -> int:
    return checksum(_FACTS.pack(series, start, end, count), body)
