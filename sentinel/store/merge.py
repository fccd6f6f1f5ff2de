"""Merge: samples are put among those that chunks hold. Needs numpy.

Time is cut into stretches of 120 samples at the pace of the source; what series of one block have at the same times in
one stretch becomes a chunk. So series that look together lie together, one that comes later joins them with the next
stretch, and only the chunks of stretches into which something new falls are written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

import numpy as np

from sentinel.core.windows import Values
from sentinel.store import chunk
from sentinel.store.arena import Ints
from sentinel.store.blob import Damaged
from sentinel.store.chunk import BLOCK, Chunk
from sentinel.store.samples import Damage, Samples

#: Samples of one series: times, ascending, and values.
Row = tuple[Ints, Values]

#: Samples of one series in a chunk: half an hour at one each 15 s.
FULL = 120

#: No chunk is longer than a day, since retention deletes whole ones, nor is it made for fewer than ten seconds.
_SHORTEST_MS, _LONGEST_MS = 10_000, 86_400_000

#: The pace of a source that nobody knows.
_PACE_MS = 15_000


def merge(samples: Samples, added: Mapping[int, Row], intervals_ms: Mapping[int, int]) -> dict[int, int]:
    """Write samples to chunks, in the place of the chunks whose stretches they fall into.

    Args:
        samples: of the transaction.
        added: id -> samples, at least one; where a chunk has one of the same time, that one counts.
        intervals_ms: id -> how often its source looks; 0 where nobody knows.

    Returns:
        id -> how many of its samples no chunk held before.
    """
    stretches = {id_: _stretch_ms(intervals_ms[id_]) for id_ in added}
    reach = {id_: _reach(ts, stretches[id_]) for id_, (ts, _) in added.items()}
    held: dict[int, list[Row]] = {}
    replaced = []
    after_ms, until_ms = min(first for first, _ in reach.values()) - 1, max(last for _, last in reach.values())
    for row, one in samples.chunks(added, after_ms, until_ms):
        touched = (reach[id_] for id_ in one.ids if id_ in reach)
        if not any(first <= one.end_ms and one.start_ms <= last for first, last in touched):
            continue
        try:
            found = chunk.decode(one)
        except Damaged as exc:
            samples.set_aside([Damage("chunk", row, str(exc))])
            continue
        replaced.append(row)
        for id_, v in zip(found.ids, found.v, strict=True):
            held.setdefault(id_, []).append((found.ts, v))
    whole = {id_: joined([*held.get(id_, ()), *([added[id_]] if id_ in added else ())]) for id_ in {*held, *added}}
    samples.write(list(chunks(whole, stretches)), replaced)
    return {id_: len(whole[id_][0]) - sum(len(ts) for ts, _ in held.get(id_, ())) for id_ in added}


def chunks(rows: Mapping[int, Row], stretches_ms: Mapping[int, int]) -> Iterator[Chunk]:
    """Cut rows into stretches, and put those of one block with the same times into one chunk each.

    Args:
        rows: id -> samples.
        stretches_ms: id -> how long a stretch of it is; a row without one is left whole.
    """
    shared: dict[tuple[int, bytes], list[tuple[int, Ints, Values]]] = {}
    for id_, (ts, v) in sorted(rows.items()):
        number = ts // stretches_ms[id_] if id_ in stretches_ms else np.zeros_like(ts)
        borders = [0, *(np.flatnonzero(np.diff(number)) + 1).tolist(), len(ts)]
        for first, last in pairwise(borders):
            part = ts[first:last]
            shared.setdefault((id_ // BLOCK, part.tobytes()), []).append((id_, part, v[first:last]))
    for parts in shared.values():
        ids, times, values = zip(*parts, strict=True)
        yield chunk.encode(ids, times[0], np.stack(values))


def joined(parts: Sequence[Row]) -> Row:
    """Put the parts of one series together; of two samples with one time the first one counts."""
    if len(parts) == 1:
        return parts[0]
    ts, v = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if (np.diff(ts) > 0).all():
        return ts, v
    order = np.argsort(ts, kind="stable")
    order = order[np.diff(ts[order], prepend=ts.min() - 1) > 0]
    return ts[order], v[order]


def _stretch_ms(interval_ms: int) -> int:
    return min(max(FULL * (interval_ms or _PACE_MS), _SHORTEST_MS), _LONGEST_MS)


def _reach(ts: Ints, stretch_ms: int) -> tuple[int, int]:
    """Return the first and last instant of the stretches that these samples fall into."""
    first, last = int(ts[0]) // stretch_ms, int(ts[-1]) // stretch_ms
    return first * stretch_ms, (last + 1) * stretch_ms - 1
