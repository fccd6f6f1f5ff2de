"""XXH64, the hash by which Prometheus tells series apart; only `limit_ratio` shows it.

https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md
"""

from __future__ import annotations

import struct

_MASK = 2**64 - 1
_PRIME_1 = 0x9E3779B185EBCA87
_PRIME_2 = 0xC2B2AE3D27D4EB4F
_PRIME_3 = 0x165667B19E3779F9
_PRIME_4 = 0x85EBCA77C2B2AE63
_PRIME_5 = 0x27D4EB2F165667C5

_STRIPE = 32


def xxh64(data: bytes) -> int:
    """Return the 64-bit hash of some bytes, with seed 0."""
    striped = len(data) // _STRIPE * _STRIPE
    rest = data[striped:]
    digest = _stripes(data[:striped]) if striped else _PRIME_5
    digest = (digest + len(data)) & _MASK
    while len(rest) >= 8:
        digest ^= _round(0, int.from_bytes(rest[:8], "little"))
        digest = (_rotated(digest, 27) * _PRIME_1 + _PRIME_4) & _MASK
        rest = rest[8:]
    if len(rest) >= 4:
        digest ^= int.from_bytes(rest[:4], "little") * _PRIME_1 & _MASK
        digest = (_rotated(digest, 23) * _PRIME_2 + _PRIME_3) & _MASK
        rest = rest[4:]
    for byte in rest:
        digest = _rotated(digest ^ (byte * _PRIME_5 & _MASK), 11) * _PRIME_1 & _MASK
    digest = (digest ^ digest >> 33) * _PRIME_2 & _MASK
    digest = (digest ^ digest >> 29) * _PRIME_3 & _MASK
    return digest ^ digest >> 32


def _stripes(data: bytes) -> int:
    lanes = [(_PRIME_1 + _PRIME_2) & _MASK, _PRIME_2, 0, -_PRIME_1 & _MASK]
    for words in struct.iter_unpack("<4Q", data):
        lanes = [_round(lane, word) for lane, word in zip(lanes, words, strict=True)]
    digest = sum(_rotated(lane, by) for lane, by in zip(lanes, (1, 7, 12, 18), strict=True)) & _MASK
    for lane in lanes:
        digest = ((digest ^ _round(0, lane)) * _PRIME_1 + _PRIME_4) & _MASK
    return digest


def _round(lane: int, word: int) -> int:
    return _rotated((lane + word * _PRIME_2) & _MASK, 31) * _PRIME_1 & _MASK


def _rotated(number: int, by: int) -> int:
    return (number << by | number >> (64 - by)) & _MASK
