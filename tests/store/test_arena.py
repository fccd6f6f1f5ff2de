"""The head's memory answers as plain lists would."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sentinel.store.arena import Arena
from tests.dice import rolls

DAY = 86_400_000
steps = st.lists(
    st.tuples(st.sets(st.integers(0, 5), min_size=1), st.sampled_from([1, 15_000, DAY, 15 * DAY]), st.integers(0, 40)),
    max_size=60,
)


@rolls(60)
@given(steps, st.lists(st.integers(0, 20 * DAY), min_size=1, max_size=12))
def test_rows_slide_grow_and_move_and_keep_what_they_must(
    steps: list[tuple[set[int], int, int]], back: list[int]
) -> None:
    """Whatever arrives in whichever rhythm, nothing newer than what is needless is lost, for months."""
    arena, model = Arena(), {slot: list[tuple[int, float]]() for slot in range(6)}
    for slot in model:
        arena.open(slot, 0)
    now, needless = 1_700_000_000_000, 0
    for which, pause, repeat in steps:
        for _ in range(repeat):
            now += pause
            needless = now - 30 * 15_000
            slots = np.array(sorted(which), np.int64)
            values = np.arange(len(slots), dtype=np.float64) + now % 997
            times, old = np.full(len(slots), now), needless
            arena.append(slots, times, values, lambda full, old=old: np.full(len(full), old), 32)  # type: ignore[misc]
            for slot, value in zip(slots.tolist(), values.tolist(), strict=True):
                model[slot].append((now, value))
    for slot, samples in model.items():
        ts, v = arena.row(slot)
        wanted = [one for one in samples if one[0] > max(needless, now - 20 * DAY)]
        found = list(zip(ts.tolist(), v.tolist(), strict=True))
        assert found[len(found) - len(wanted) :] == wanted
        assert set(found) <= set(samples)
        assert len(ts) <= max(281, len(wanted) * 2)
    ends = np.array(sorted(now - one for one in back))[None, :]
    places = np.arange(6)
    for bounds in (ends, np.repeat(ends, 6, axis=0), ends[:, :1]):
        hi = arena.first_after(places, bounds)
        for slot in range(6):
            ts = arena.row(slot)[0].tolist()
            expected = [int(arena.start[slot]) + bisect_right(ts, end) for end in bounds[0].tolist()]
            assert hi[slot].tolist() == expected


def test_a_place_that_was_given_back_is_used_again() -> None:
    """Series that come and go do not make the arena grow."""
    arena = Arena()
    arena.open(0, 100)
    before = arena.start[0]
    arena.close(0)
    arena.open(1, 100)
    assert arena.start[1] == before
    for round_ in range(2000):
        arena.open(2 + round_ % 3, 100)
        arena.close(2 + round_ % 3)
    assert len(arena.ts) == 4097


def test_rows_that_grow_leave_no_empty_places_behind() -> None:
    """However long the rows become, the arena is never much larger than they are."""
    rows, wanted = 200, 720
    arena, slots = Arena(), np.arange(rows, dtype=np.int64)
    for slot in range(rows):
        arena.open(slot, 0)
    for at in range(1, 2 * wanted):
        times = np.full(rows, 1_700_000_000_000 + at * 5_000)
        oldest = times - wanted * 5_000
        arena.append(slots, times, (slots + at).astype(np.float64), oldest.__getitem__, wanted)
        assert arena.start[:rows].max() <= 2 * rows * max(25, min(at, wanted))
    assert all(
        arena.row(slot)[1][-wanted:].tolist() == list(range(slot + at - wanted + 1, slot + at + 1))
        for slot in range(rows)
    )
