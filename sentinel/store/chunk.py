"""A chunk: samples of some series at the same times, in about a byte each. Needs numpy.

A probe shows its series together, so their times are written once. Numbers that people write down (counts, seconds with
three decimals, shares with two) are whole numbers once their decimal point is moved; those are kept as differences, in
as few bytes as hold them. Any other value is kept as the bits that differ from the value before. Either way every bit
comes back, those of stale markers included. Each series is compressed by itself: whoever asks for one unpacks one.

    body   | counts | times | a line for each series | numbers of the first | numbers of the second | ..
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentinel.core.windows import Values
from sentinel.store.arena import Ints
from sentinel.store.blob import Damaged, checksum, deflate, inflate

#: Series whose ids have the same quotient by this share chunks; each is a bit of the column `members`.
BLOCK = 32

_FACTS = struct.Struct("<qQqq")  # block, members, start, end: covered by the checksum, since they are columns
_COUNTS = struct.Struct("<III")  # samples of each series, bytes of each difference of the times, bytes of them all

#: What is written of each series: its first number, the bytes of all others, how many bytes each of them has, and by
#: how many decimals the values were moved.
_LINE = struct.Struct("<qIBb")

#: Instead of decimals: the numbers are the values' bits.
_BITS = -1
#: What has more decimals comes out of a division, and nobody wrote it down.
_DECIMALS = 6
#: By how much that many decimals move a value.
_TENS = 10.0 ** np.arange(_DECIMALS + 1)

#: Whole numbers below this are exact as floats.
_EXACT = 2**53


@dataclass(frozen=True, slots=True)
class Chunk:
    """One row of the table `chunk`, as its columns say."""

    block: int
    members: int
    start_ms: int
    end_ms: int
    body: bytes
    checksum: int

    @property
    def ids(self) -> list[int]:
        """The series in it, ascending."""
        return ids_of(self.block, self.members)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a chunk holds.

    Args:
        ids: of S series.
        ts: their N times.
        v: their values, of shape (S, N).
    """

    ids: list[int]
    ts: Ints
    v: Values


def until(whole: Chunk, until_ms: int) -> Chunk:
    """Return a chunk without what lies beyond an instant; something of it must not.

    Raises:
        Damaged: it is not what was written.
    """
    found = decode(whole)
    kept = found.ts <= until_ms
    return encode(found.ids, found.ts[kept], found.v[:, kept])


def ids_of(block: int, members: int) -> list[int]:
    """Return the ids of the series of a block whose bits are set, ascending."""
    return [block * BLOCK + bit for bit in range(BLOCK) if members >> bit & 1]


def encode(ids: Sequence[int], ts: Ints, v: Values) -> Chunk:
    """Compress samples.

    Args:
        ids: of S series of one block, ascending.
        ts: their N times, ascending.
        v: their values, of shape (S, N).
    """
    block, start, end = ids[0] // BLOCK, int(ts[0]), int(ts[-1])
    members = sum(1 << id_ % BLOCK for id_ in ids)
    numbers, decimals = _numbers(v)
    times, width = deflate(np.diff(np.diff(ts), prepend=0))
    lines, packed = [], []
    for row, moved in zip(numbers, decimals.tolist(), strict=True):
        one, bytes_each = deflate(row[1:] ^ row[:-1] if moved == _BITS else row[1:] - row[:-1])
        lines.append(_LINE.pack(row[0], len(one), bytes_each, moved))
        packed.append(one)
    body = b"".join([_COUNTS.pack(len(ts), width, len(times)), times, *lines, *packed])
    return Chunk(block, members, start, end, body, _checksum(block, members, start, end, body))


def decode(chunk: Chunk, wanted: Collection[int] | None = None) -> Unpacked:
    """Return the samples of a chunk, or of those of its series that are wanted.

    Raises:
        Damaged: the chunk is not what was written.
    """
    found = _checksum(chunk.block, chunk.members, chunk.start_ms, chunk.end_ms, chunk.body)
    if found != chunk.checksum:
        raise Damaged(f"its checksum is {found:08x}, not {chunk.checksum:08x}")
    count, width, length = _COUNTS.unpack_from(chunk.body)
    at = _COUNTS.size + length
    ts = np.zeros(count, np.int64)
    ts[1:] = inflate(chunk.body[_COUNTS.size : at], count - 1, width)
    ts = ts.cumsum().cumsum() + chunk.start_ms
    end = at + chunk.members.bit_count() * _LINE.size
    ids, decimals, numbers = [], [], []
    for id_, (first, length, width, moved) in zip(chunk.ids, _LINE.iter_unpack(chunk.body[at:end]), strict=True):
        if wanted is None or id_ in wanted:
            row = np.empty(count, np.int64)
            row[0], row[1:] = first, inflate(chunk.body[end : end + length], count - 1, width)
            ids.append(id_)
            decimals.append(moved)
            numbers.append(row)
        end += length
    return Unpacked(ids, ts, _values(np.array(numbers).reshape(-1, count), np.array(decimals, np.int8)))


def _numbers(v: Values) -> tuple[Ints, NDArray[np.int8]]:
    """Return each row of values as whole numbers, and by how many decimals they were moved for that."""
    numbers, decimals = v.view(np.int64).copy(), np.full(len(v), _BITS, np.int8)
    rest = np.arange(len(v))
    with np.errstate(over="ignore", invalid="ignore"):
        for moved in range(_DECIMALS + 1):
            asked = v[rest]
            whole = np.rint(asked * _TENS[moved]).astype(np.int64)  # minus zero is none any more
            exact = (whole / _TENS[moved]).view(np.int64) == asked.view(np.int64)
            fine = (exact & (np.abs(whole) < _EXACT)).all(axis=1)
            numbers[rest[fine]], decimals[rest[fine]] = whole[fine], moved
            rest = rest[~fine]
            if not len(rest):
                break
    return numbers, decimals


def _values(numbers: Ints, decimals: NDArray[np.int8]) -> Values:
    """Return the values of rows of numbers, of which each but the first says how it differs from the one before."""
    v: Values = numbers.cumsum(axis=1) / _TENS[decimals, None]
    bits = decimals == _BITS
    if bits.any():
        v[bits] = np.bitwise_xor.accumulate(numbers[bits], axis=1).view(np.float64)
    return v


def _checksum(block: int, members: int, start: int, end: int, body: bytes) -> int:
    return checksum(_FACTS.pack(block, members, start, end), body)
