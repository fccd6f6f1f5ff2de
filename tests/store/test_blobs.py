"""Journal entries and chunks: every bit comes back, and a wrong one is noticed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

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


#: What people write down, what sensors measure, and anything that eight bytes can be.
values = st.one_of(
    st.integers(-(10**15), 10**15).map(float),
    st.decimals(-10_000, 10_000, places=2).map(float),
    st.floats(width=32),
    bits.map(lambda one: float(np.uint64(one).view(np.float64))),
)


@given(st.data())
def test_a_chunk_gives_back_every_bit(data: st.DataObject) -> None:
    """Any times in order, any values: decimals, NaNs of every kind, infinities, minus zero, stale markers."""
    ts = np.array(sorted(data.draw(st.sets(times, min_size=1, max_size=130))), np.int64)
    ids = sorted(data.draw(st.sets(st.integers(64, 95), min_size=1, max_size=5)))
    kinds = st.sampled_from([values, st.just(STALE), st.integers(0, 9).map(float), st.just(-0.0)])
    rows = [data.draw(st.lists(data.draw(kinds), min_size=len(ts), max_size=len(ts))) for _ in ids]
    v = np.array(rows)
    one = chunk.encode(ids, ts, v)
    again = chunk.decode(one)
    assert one.ids == again.ids == ids
    assert again.ts.tolist() == ts.tolist()
    assert again.v.view(np.uint64).tolist() == v.view(np.uint64).tolist()
    alone = chunk.decode(one, ids[-1:])
    assert alone.ids == ids[-1:]
    assert alone.v.view(np.uint64).tolist() == v[-1:].view(np.uint64).tolist()


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
    one = chunk.encode([1], ts, v[None, :])
    for bad in _spoilt(body, place, bit):
        with pytest.raises(Damaged, match="checksum is"):
            journal.decode(bad, checksum)
    for bad in _spoilt(one.body, place, bit):
        with pytest.raises(Damaged, match="checksum is"):
            chunk.decode(replace(one, body=bad))


def _spoilt(whole: bytes, place: int, bit: int) -> tuple[bytes, bytes]:
    flipped = bytearray(whole)
    flipped[place % len(whole)] ^= 1 << bit
    return bytes(flipped), whole[: place % len(whole)]


@pytest.mark.parametrize("column", ["block", "members", "start_ms", "end_ms"])
def test_a_chunk_whose_columns_were_changed_is_noticed(column: str) -> None:
    """They are covered by the checksum."""
    one = chunk.encode([1], np.arange(5, dtype=np.int64), np.arange(5.0)[None, :])
    with pytest.raises(Damaged):
        chunk.decode(replace(one, **{column: getattr(one, column) + 1}))


@pytest.mark.parametrize(
    ("values", "most"),
    [
        pytest.param(lambda dice: dice.integers(0, 100, (32, 120)).cumsum(axis=1) + 10.0**6, 1.4, id="counters"),
        pytest.param(lambda dice: dice.uniform(0, 100, (32, 120)).round(2), 2.4, id="gauges with two decimals"),
        pytest.param(lambda dice: np.ones((32, 120)), 0.4, id="what stands still"),
    ],
)
def test_what_people_write_down_takes_about_a_byte_a_sample(
    values: Callable[[np.random.Generator], np.ndarray[tuple[int, int], np.dtype[np.float64]]], most: float
) -> None:
    """Prometheus needs two for counters and seven for decimals."""
    v = values(np.random.default_rng(1)).astype(float)
    assert len(chunk.encode(range(32), np.arange(120, dtype=np.int64) * 15_000, v).body) < v.size * most
