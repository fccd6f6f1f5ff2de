"""Past: samples of long ago are put among those that chunks hold already. Needs numpy.

Only for the thread that writes. What the head holds it keeps to itself: an import ends where the head, or a series'
first sample that no chunk holds, begins. So the newest samples are in one place, and an answer is the same before and
after a restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from sentinel.core.labels import Labels
from sentinel.store.head import Head
from sentinel.store.merge import Row, joined, merge
from sentinel.store.rows import Look, Series
from sentinel.store.samples import Samples
from sentinel.store.stretch import Stretch

#: "taken", or why not: "duplicate", "too old", "too new" -> samples.
Counts = Counter[str]


def insert(samples: Samples, head: Head, stretches: Sequence[Stretch], after_ms: int, until_ms: int) -> Counts:
    """Put samples among those that chunks hold, and count what became of them.

    Args:
        samples: of the transaction.
        head: knows the series in memory, and gives new ones their numbers.
        stretches: of any series, old or new; where there is a sample of the same time, that one counts.
        after_ms: samples up to then are too old.
        until_ms: samples later than that are too new.
    """
    counts: Counts = Counter()
    of = {one.labels: one for one in stretches}
    rows: dict[Labels, list[Row]] = {}
    for one in stretches:
        rows.setdefault(one.labels, []).append((one.ts, one.v))
    added, intervals_ms = {}, {}
    for labels, id_ in _ids(samples, head, of).items():
        ts, v = joined(rows[labels])
        unwritten, _ = head.roster.unflushed_of(id_)
        last_ms = min(until_ms, int(unwritten[0]) - 1) if len(unwritten) else until_ms
        counts["duplicate"] += sum(len(part) for part, _ in rows[labels]) - len(ts)
        counts["too old"] += int((ts <= after_ms).sum())
        counts["too new"] += int((ts > last_ms).sum())
        fine = (ts > after_ms) & (ts <= last_ms)
        if fine.any():
            added[id_], intervals_ms[id_] = (ts[fine], v[fine]), of[labels].interval_ms
    if added:
        taken = sum(merge(samples, added, intervals_ms).values())
        counts["taken"] = taken
        counts["duplicate"] += sum(len(ts) for ts, _ in added.values()) - taken
    return +counts


def _ids(samples: Samples, head: Head, of: Mapping[Labels, Stretch]) -> dict[Labels, int]:
    """Return the id of each series; those that nobody knew are written down, with their sources."""
    roster = head.roster
    ids = {labels: roster.named([slot])[0].id for labels in of if (slot := roster.slot_of(labels)) is not None}
    strange = [labels for labels in of if labels not in ids]
    ids |= {labels: id_ for labels, (id_, _) in samples.known(strange).items()}
    new = []
    for labels in strange:
        if labels not in ids:
            ids[labels] = roster.last_id = roster.last_id + 1
            new.append(Series(ids[labels], labels, _source(samples, head, of[labels])))
    samples.add_series(new)
    return ids


def _source(samples: Samples, head: Head, stretch: Stretch) -> int:
    """Return the number of a stretch's source; one that nobody knew is written down."""
    looks = {look.name: look.source for look in head.looks()}
    if stretch.source not in looks:
        look = Look(1 + max(looks.values(), default=0), stretch.source, 0, stretch.interval_ms, whole=False)
        head.restore_source(look)
        samples.looked([look])
        return look.source
    return looks[stretch.source]
