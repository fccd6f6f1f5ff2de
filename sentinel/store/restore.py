"""The head after a restart: what the newest chunks and the journal hold. Needs numpy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.windows import Values
from sentinel.store import chunk
from sentinel.store.arena import REACH_MS, Ints
from sentinel.store.blob import Damaged
from sentinel.store.chunk import Chunk
from sentinel.store.database import Database
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
    2. Chunks that reach into the head's span; for sources that look seldom, the newest chunk of each series.
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
    parts = _decoded(_recent(samples, now_ms, span_ms), damages)
    for id_, ts, v in _by_series(journal):
        parts.setdefault(id_, []).append((ts, v))
    ends = samples.ends(parts)
    for series in samples.series_of(parts):
        flushed_ms = ends.get(series.id, NEVER)
        ts, v = _joined(parts[series.id], now_ms - REACH_MS)
        head.restore_series(series, ts, v, flushed_ms)
    head.restored(now_ms - span_ms, samples.last_id())
    return Restored(head, samples.last_alive(), tuple(damages))


def _recent(samples: Samples, now_ms: int, span_ms: int) -> list[tuple[int, Chunk]]:
    """Return the chunks that the head needs."""
    recent = samples.chunks_since(now_ms - span_ms)
    there = {row for row, _ in recent}
    seldom = [look.source for look in samples.sources() if look.interval_ms * 5 // 2 > span_ms]
    for source in seldom:
        newest = samples.newest_chunks(samples.of_source(source))
        recent += [(row, one) for row, one in newest if row not in there]
    return recent


def _decoded(chunks: list[tuple[int, Chunk]], damages: list[Damage]) -> dict[int, list[tuple[Ints, Values]]]:
    parts: dict[int, list[tuple[Ints, Values]]] = {}
    for row, one in chunks:
        try:
            parts.setdefault(one.series, []).append(chunk.decode(one))
        except Damaged as exc:
            damages.append(Damage("chunk", row, str(exc)))
    return parts


def _by_series(journal: Rows) -> list[tuple[int, Ints, Values]]:
    """Sort the journal's samples by series and time; of two with one time the first came first, and counts."""
    if not len(journal.ids):
        return []
    order = np.lexsort((journal.ts, journal.ids))
    ids, ts, v = journal.ids[order], journal.ts[order], journal.v[order]
    again = np.zeros(len(ids), np.bool_)
    again[1:] = (ids[1:] == ids[:-1]) & (ts[1:] == ts[:-1])
    ids, ts, v = ids[~again], ts[~again], v[~again]
    borders = np.flatnonzero(np.diff(ids, prepend=-1))
    ends = np.append(borders[1:], len(ids))
    return [
        (int(ids[first]), ts[first:last], v[first:last])
        for first, last in zip(borders.tolist(), ends.tolist(), strict=True)
    ]


def _joined(parts: list[tuple[Ints, Values]], after_ms: int) -> tuple[Ints, Values]:
    """Put the parts of one series together; what both a chunk and the journal hold counts once."""
    ts, v = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.argsort(ts, kind="stable")
    ts, v = ts[order], v[order]
    fine = (np.diff(ts, prepend=NEVER) > 0) & (ts > after_ms)
    return ts[fine], v[fine]
