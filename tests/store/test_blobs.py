"""Journal entries and chunks: every bit comes back, and a wrong one is noticed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.windows import STALE
from sentinel.store import chunk, journal
from sentinel.store.blob import Damaged
from sentinel.store.rows import Look, Rows

bits = st.integers(0, 2**64 - 1)
times = st.integers(-(2**40), 2**42)


@given(st.lists(st.tuples(times, bits), min_size=1, max_size=130, unique_by=lambda pair: pair[0]))
def test_a_chunk_gives_back_every_bit(samples: list[tuple[int, int]]) -> None:
    """Any times in order, any values: NaNs of every kind, infinities, minus zero."""
    samples.sort()
    ts = np.array([t for t, _ in samples], np.int64)
    v = np.array([b for _, b in samples], np.uint64).view(np.float64)
    again_ts, again_v = chunk.decode(chunk.encode(7, ts, v))
    assert again_ts.tolist() == ts.tolist()
    assert again_v.view(np.uint64).tolist() == v.view(np.uint64).tolist()


@given(st.lists(st.tuples(st.integers(1, 2**32 - 1), times, bits), max_size=50))
def test_a_journal_entry_gives_back_every_bit(samples: list[tuple[int, int, int]]) -> None:
    """In the order of arrival, whatever it is."""
    rows = Rows(
        looks=(Look(1, "shöp", 5, 15_000, True), Look(2, "b", 6, 1, False)),
        ids=np.array([i for i, _, _ in samples], np.int64),
        ts=np.array([t for _, t, _ in samples], np.int64),
        v=np.array([b for _, _, b in samples], np.uint64).view(np.float64),
    )
    again = journal.decode(*journal.encode(rows))
    assert again.looks == rows.looks
    assert again.ids.tolist() == rows.ids.tolist()
    assert again.ts.tolist() == rows.ts.tolist()
    assert again.v.view(np.uint64).tolist() == rows.v.view(np.uint64).tolist()


@given(st.integers(0, 10_000), st.integers(0, 7))
def test_a_flipped_bit_is_noticed(place: int, bit: int) -> None:
    """In a journal entry as in a chunk, and a torn one too."""
    ts, v = np.arange(50, dtype=np.int64) * 15_000, np.linspace(0, 75, 50)
    body, checksum = journal.encode(Rows(ids=np.arange(50), ts=ts, v=v))
    one = chunk.encode(1, ts, v)
    for bad in _spoilt(body, place, bit):
        with pytest.raises(Damaged, match="checksum is"):
            journal.decode(bad, checksum)
    for bad in _spoilt(one.body, place, bit):
        with pytest.raises(Damaged, match="checksum is"):
            chunk.decode(chunk.Chunk(1, one.start_ms, one.end_ms, one.count, bad, one.checksum))


def _spoilt(whole: bytes, place: int, bit: int) -> tuple[bytes, bytes]:
    flipped = bytearray(whole)
    flipped[place % len(whole)] ^= 1 << bit
    return bytes(flipped), whole[: place % len(whole)]


def test_a_chunk_whose_columns_were_changed_is_noticed() -> None:
    """Its series, times and count are covered by the checksum."""
    one = chunk.encode(1, np.arange(5, dtype=np.int64), np.arange(5.0))
    with pytest.raises(Damaged):
        chunk.decode(chunk.Chunk(2, one.start_ms, one.end_ms, one.count, one.body, one.checksum))


def test_a_counter_at_an_even_pace_takes_about_two_bytes_a_sample() -> None:
    """And a stale marker among them changes nothing."""
    ts = np.arange(120, dtype=np.int64) * 15_000
    v = np.cumsum(np.random.default_rng(1).integers(0, 100, 120)).astype(float)
    assert len(chunk.encode(1, ts, v).body) < 120 * 3
    v[60] = STALE
    again = chunk.decode(chunk.encode(1, ts, v))[1]
    assert again.view(np.uint64)[60] == np.uint64(0x7FF0000000000002)
