"""Windows cut out of the head: views of its own arrays for the desk, copies for everybody else. Needs numpy."""

from __future__ import annotations

import numpy as np

from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Windows
from sentinel.store.arena import Arena, Ints, spread
from sentinel.store.index import Selection
from sentinel.store.slots import Slots


def cut(arena: Arena, slots: Slots, found: Selection, ends_ms: Instants, range_ms: int | None) -> Windows:
    """Return the windows of these series, without copying a sample.

    A window of an instant selector (`range_ms` None) holds only its newest sample, which is all that counts there.
    """
    places = found.places
    lookback = slots.lookback_ms(places, DEFAULT_LOOKBACK_MS)
    ends = ends_ms[None, :]
    if range_ms is None:
        hi = _newest(arena, places, ends)
        lo = _lone(arena, places, hi, ends, lookback)
    else:
        lo, hi = _range(arena, places, ends, range_ms)
    windows = Windows(
        labels=found.labels,
        ids=slots.id[places],
        ts=arena.ts,
        v=arena.v,
        lo=lo,
        hi=hi,
        lookback_ms=lookback,
        has_stale=bool(slots.stale[places].any()),
        epoch_ms=arena.epoch_ms,
    )
    # Whoever must drop stale markers goes through the whole flat block; let it be no longer than need be.
    return compact(windows) if windows.has_stale and range_ms is not None else windows


def compact(windows: Windows) -> Windows:
    """Return the same windows over arrays of their own, which hold what lies between each series' first and last."""
    if not len(windows.ids):
        return Windows(
            windows.labels,
            windows.ids,
            windows.ts[:0].copy(),
            windows.v[:0].copy(),
            windows.lo,
            windows.hi,
            windows.lookback_ms,
            has_stale=False,
            epoch_ms=windows.epoch_ms,
        )
    first = windows.lo.min(axis=1)
    taken, length = spread(first, windows.hi.max(axis=1))
    shift = (np.cumsum(length) - length - first)[:, None]
    return Windows(
        labels=windows.labels,
        ids=windows.ids,
        ts=windows.ts[taken],
        v=windows.v[taken],
        lo=windows.lo + shift,
        hi=windows.hi + shift,
        lookback_ms=windows.lookback_ms,
        has_stale=windows.has_stale,
        epoch_ms=windows.epoch_ms,
    )


def _range(arena: Arena, places: Ints, ends: Instants, range_ms: int) -> tuple[Ints, Ints]:
    """Return both bounds of each window; those of a single end in the past are looked for at once."""
    if ends.shape[1] > 1:
        return arena.first_after(places, ends - range_ms), arena.first_after(places, ends)
    if _at_present(arena, places, ends):
        return arena.first_after(places, ends - range_ms), _row_ends(arena, places)
    both = arena.first_after(places, np.hstack([ends - range_ms, ends]))
    return both[:, :1], both[:, 1:]


def _newest(arena: Arena, places: Ints, ends: Instants) -> Ints:
    """Return one past the newest sample at each end; at the present that is where the row ends."""
    if ends.shape[1] == 1 and _at_present(arena, places, ends):
        return _row_ends(arena, places)
    return arena.first_after(places, ends)


def _at_present(arena: Arena, places: Ints, ends: Instants) -> bool:
    return bool((arena.last_ms(places) <= ends[0, 0]).all())


def _row_ends(arena: Arena, places: Ints) -> Ints:
    ends: Ints = (arena.start[places] + arena.count[places])[:, None]
    return ends


def _lone(arena: Arena, places: Ints, hi: Ints, ends: Instants, lookback: Ints) -> Ints:
    """Return where a window of at most one sample begins: at its newest one, unless that is too old to count."""
    newest = np.maximum(hi - 1, 0)
    times = arena.ts[newest] + np.int64(arena.epoch_ms)
    counts = (hi > arena.start[places][:, None]) & (times > ends - lookback[:, None])
    return np.where(counts, newest, hi)
