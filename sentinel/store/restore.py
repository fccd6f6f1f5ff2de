"""The head after a restart: what the newest chunks and the journal hold. Needs numpy."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.store import chunk
from sentinel.store.arena import REACH_MS, Ints
from sentinel.store.blob import Damaged
from sentinel.store.chunk import BLOCK, Chunk
from sentinel.store.database import Database
from sentinel.store.flat import Flat
from sentinel.store.head import SERIES_LIMIT, SPAN, Head, to_span_ms
from sentinel.store.intake import FUTURE_MS
from sentinel.store.merge import merge
from sentinel.store.rows import Rows
from sentinel.store.samples import Damage, Samples
from sentinel.store.slots import NEVER

#: Chunks and entries that are cut at once, where the clock was set back while nobody looked.
_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Restored:
    """What a start finds.

    Args:
        head: with all that it held before, but for what was never committed.
        alive_at: when the agent was last at work; None if it never was.
        damages: blobs that cannot be read; they are set aside.
    """

    head: Head
    alive_at: datetime | None
    damages: tuple[Damage, ...]


def restore(database: Database, now: datetime, span: timedelta = SPAN, series_limit: int = SERIES_LIMIT) -> Restored:
    """Read the head back.

    1. Sources, as they were last written down, then as the journal's looks say.
    2. Chunks that reach into the head's span; for sources that look seldom, into the time for which a value counts.
    3. The journal's samples that no chunk holds: a crash between chunks and the end of their journal leaves both.
    4. What could not be read is set aside, in the same transaction.

    Before that, what lies in the future is cut off (the clock was set back meanwhile), and what the journal has of a
    time so long ago that the head does not reach it goes to chunks.
    """
    now_ms = to_ms(now)
    with database.begin() as tx:
        entry, oldest_ms = tx.samples.journal_tail()
        while tx.samples.rewind(now_ms + FUTURE_MS, entry, _AT_ONCE):
            pass
        if oldest_ms is not None and oldest_ms <= now_ms - REACH_MS // 2:
            _write_old(tx.samples)
        ruined = tuple(tx.samples.aside)
        restored = _restored(database, tx.samples, now, span, series_limit)
        restored.head.rewind(now_ms + FUTURE_MS)
        tx.samples.set_aside(restored.damages)
    _give_back()
    return replace(restored, damages=(*ruined, *restored.damages))


def look_into(database: Database, now: datetime) -> Restored:
    """Read the head as `restore` does, and change nothing: beside a running agent."""
    with database.read() as tx:
        return _restored(database, tx.samples, now, SPAN, SERIES_LIMIT)


def _restored(database: Database, samples: Samples, now: datetime, span: timedelta, series_limit: int) -> Restored:
    def recall(labels: Sequence[Labels]) -> Mapping[Labels, tuple[int, int]]:
        with database.read() as tx:
            return tx.samples.known(labels)

    head = Head(span, recall, series_limit)
    now_ms, span_ms = to_ms(now), to_span_ms(span)
    damages: list[Damage] = []
    names = {look.source: look.name for look in samples.sources()}
    for look in samples.sources():
        head.restore_source(look)
    fresh = _replayed(samples, head, names, damages)
    chunks = _recent(samples, now_ms, span_ms)
    found = {
        *fresh.places.tolist(),
        *(id_ for group in chunks.values() for _, one in group for id_ in one.ids),
    }
    ends = samples.ends(found)
    for block, group in groupby(samples.series_of(found), lambda series: series.id // BLOCK):
        many = list(group)
        ids = np.array([series.id for series in many])
        held = Flat.ordered(_unpacked(chunks.get(block, ()), damages)).since(now_ms - REACH_MS)
        waiting = fresh.only(slice(*np.searchsorted(fresh.place, [block * BLOCK, (block + 1) * BLOCK])))
        whole = Flat.ordered([held, waiting.since(now_ms - REACH_MS)])
        for series, row, was in zip(many, whole.rows(ids), held.rows(ids), strict=True):
            flushed_ms = _flushed_ms(ends.get(series.id, NEVER), row.ts, was.ts)
            head.restore_series(series, row.ts, row.v, flushed_ms)
    head.restored(now_ms - span_ms, samples.last_id())
    return Restored(head, samples.last_alive(), tuple(damages))


def _replayed(samples: Samples, head: Head, names: Mapping[int, str], damages: list[Damage]) -> Flat:
    """Return the journal's samples by the ids of their series, and let the head know of its looks.

    A source that was renamed since is in `names`, by its number, as it is called now.
    """
    journal = Rows.joined(samples.replay(damages))
    for look in journal.looks:
        head.restore_source(replace(look, name=names.get(look.source, look.name)))
    order = np.argsort(journal.ids, kind="stable")
    return Flat(journal.ids[order], journal.ts[order], journal.v[order])


def _write_old(samples: Samples) -> None:
    """Write the journal's samples to chunks."""
    rows = Rows.joined(samples.replay([]))
    ids = np.unique(rows.ids)
    intervals = {look.source: look.interval_ms for look in (*samples.sources(), *rows.looks)}
    paces = {one.id: intervals.get(one.source, 0) for one in samples.series_of(ids.tolist())}
    held = Flat.ordered([Flat(rows.ids, rows.ts, rows.v)]).rows(ids)
    fresh = {id_: (row.ts, row.v) for id_, row in zip(ids.tolist(), held, strict=True) if id_ in paces}
    if fresh:
        merge(samples, fresh, paces)


def _give_back() -> None:
    """Return to the system what the start needed for a moment; glibc would keep it (malloc_trim(3))."""
    with suppress(OSError, AttributeError):  # another C library has no such function
        ctypes.CDLL(None).malloc_trim(0)


def _recent(samples: Samples, now_ms: int, span_ms: int) -> Mapping[int, list[tuple[int, Chunk]]]:
    """Return the chunks that the head needs, with their rows, by block."""
    recent = samples.chunks_since(now_ms - span_ms)
    for look in samples.sources():
        lookback_ms = look.interval_ms * 5 // 2
        if lookback_ms > span_ms:
            recent += samples.chunks(samples.of_source(look.source), now_ms - lookback_ms, now_ms)
    blocks: dict[int, list[tuple[int, Chunk]]] = {}
    for row, one in dict(recent).items():
        blocks.setdefault(one.block, []).append((row, one))
    return blocks


def _unpacked(chunks: Iterable[tuple[int, Chunk]], damages: list[Damage]) -> Iterator[Flat]:
    for row, one in chunks:
        try:
            found = chunk.decode(one)
        except Damaged as exc:
            damages.append(Damage("chunk", row, str(exc)))
        else:
            yield Flat.unpacked(found, np.array(found.ids))


def _flushed_ms(end_ms: int, ts: Ints, held: Ints) -> int:
    """Return up to when chunks hold all samples of a series.

    Args:
        end_ms: of its last chunk.
        ts: times of its samples.
        held: of those that were read from chunks; a late sample may be in the journal alone.
    """
    behind = ts[ts <= end_ms]
    return end_ms if len(behind) == len(held) else int(behind[~np.isin(behind, held)][0]) - 1
