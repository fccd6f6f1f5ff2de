"""The head after a restart: what the newest chunks and the journal hold. Needs numpy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.store import chunk
from sentinel.store.arena import REACH_MS, Ints
from sentinel.store.blob import Damaged
from sentinel.store.chunk import Chunk, Unpacked
from sentinel.store.database import Database
from sentinel.store.flat import Flat
from sentinel.store.head import SERIES_LIMIT, SPAN, Head, to_span_ms
from sentinel.store.rows import Rows
from sentinel.store.samples import Damage, Samples
from sentinel.store.slots import NEVER


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
    """
    with database.begin() as tx:
        restored = _restored(database, tx.samples, now, span, series_limit)
        tx.samples.set_aside(restored.damages)
    return restored


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
    for look in samples.sources():
        head.restore_source(look)
    journal = Rows.joined(samples.replay(damages))
    for look in journal.looks:
        head.restore_source(look)
    chunks = list(_unpacked(_recent(samples, now_ms, span_ms), damages))
    ids = np.unique(np.concatenate([journal.ids, *(one.ids for one in chunks)]).astype(np.int64))
    held = Flat.ordered(Flat.unpacked(one, np.searchsorted(ids, one.ids)) for one in chunks)
    whole = Flat.ordered([held, Flat(np.searchsorted(ids, journal.ids), journal.ts, journal.v)])
    whole = whole.only(whole.ts > now_ms - REACH_MS)
    flushed_ms = _flushed(samples, ids, held, whole)
    starts = whole.starts(len(ids))
    places = {id_: place for place, id_ in enumerate(ids.tolist())}
    for series in samples.series_of(places):
        place = places[series.id]
        row = slice(starts[place], starts[place + 1])
        head.restore_series(series, whole.ts[row], whole.v[row], int(flushed_ms[place]))
    head.restored(now_ms - span_ms, samples.last_id())
    return Restored(head, samples.last_alive(), tuple(damages))


def _recent(samples: Samples, now_ms: int, span_ms: int) -> dict[int, Chunk]:
    """Return the chunks that the head needs, by row."""
    recent = samples.chunks_since(now_ms - span_ms)
    for look in samples.sources():
        lookback_ms = look.interval_ms * 5 // 2
        if lookback_ms > span_ms:
            recent += samples.chunks(samples.of_source(look.source), now_ms - lookback_ms, now_ms)
    return dict(recent)


def _unpacked(chunks: Mapping[int, Chunk], damages: list[Damage]) -> Iterator[Unpacked]:
    for row, one in chunks.items():
        try:
            yield chunk.decode(one)
        except Damaged as exc:
            damages.append(Damage("chunk", row, str(exc)))


def _flushed(samples: Samples, ids: Ints, held: Flat, whole: Flat) -> Ints:
    """Return up to when chunks hold all samples of each series: a late one may be in the journal alone."""
    ends = samples.ends(ids.tolist())
    flushed = np.array([ends.get(id_, NEVER) for id_ in ids.tolist()], np.int64)
    behind = whole.only(whole.ts <= flushed[whole.place])
    late = np.bincount(behind.place, minlength=len(ids)) > np.bincount(held.place, minlength=len(ids))
    for place in np.flatnonzero(late).tolist():
        missing = np.setdiff1d(behind.ts[behind.place == place], held.ts[held.place == place])
        flushed[place] = int(missing[0]) - 1
    return flushed
