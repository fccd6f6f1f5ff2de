"""XXH64, by which `limit_ratio` picks the series that Prometheus picks."""

from __future__ import annotations

import pytest

from sentinel.core.labels import Labels
from sentinel.promql import parse
from sentinel.promql.block import Block
from sentinel.promql.evaluate import evaluate_instant
from sentinel.promql.xxhash import xxh64


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", 0xEF46DB3751D8E999),
        ("a", 0xD24EC4F1A98C6E5B),
        ("as", 0x1C330FB2D66BE179),
        ("asd", 0x631C37CE72A97393),
        ("asdf", 0x415872F599CEA71E),
        ("Call me Ishmael. Some years ago--never mind how long precisely-", 0x02A2E85470D6FD96),
    ],
)
def test_published_hashes_come_out(text: str, digest: int) -> None:
    """The vectors with which the library that Prometheus uses (cespare/xxhash) is tested."""
    assert xxh64(text.encode()) == digest


@pytest.mark.parametrize("job", ["shop", "caf\u00e9", "long" * 70])
def test_a_series_has_the_place_of_its_packed_labels(job: str) -> None:
    """Each text stands behind its length in bytes, the name too; the hash of that over 2^64 is the place."""
    data = job.encode()
    length = bytes([len(data)]) if len(data) < 255 else b"\xff" + len(data).to_bytes(3, "little")
    place = xxh64(b"\x08__name__\x02up\x03job" + length + data) / 2**64
    block = Block({Labels.of(__name__="up", job=job): [(0, 1.0)]})

    def picked(ratio: float) -> int:
        return len(evaluate_instant(parse(f"limit_ratio({ratio!r}, up)"), block, 0).latest())

    assert [picked(place - 1e-9), picked(place + 1e-9)] == [0, 1]
    assert [picked(place - 1 - 1e-9), picked(place - 1 + 1e-9)] == [1, 0]
