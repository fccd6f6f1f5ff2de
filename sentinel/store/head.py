"""The head: the newest samples of every series, in memory. It takes in what arrives and answers rules at once.

    Batch --append--> [ rows by series ] --take_waiting--> Rows --> journal (on disk before anybody relies on it)
                              |
                              '--unflushed--> chunks (30 minutes later; then the journal lets go)

Only the desk's thread appends; its windows are views of the head's own arrays, true until the next append. Every other
thread asks `reader()`, which copies under the lock. Needs numpy.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels, Matcher, MatchOp
from sentinel.core.sample import Batch, Health, Sample
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Values, Windows, is_stale
from sentinel.store.arena import REACH_MS, Ints
from sentinel.store.cut import compact, cut
from sentinel.store.intake import LATE_MS, Opened, Refusals, Taken, fits, gone, take, zeros
from sentinel.store.roster import Roster
from sentinel.store.rows import Look, Rows, Series
from sentinel.store.shape import REFUSED, UNFIT, Shape
from sentinel.store.slots import NEVER

#: How long the head keeps samples, unless it is asked to keep them longer.
SPAN = timedelta(hours=1)

#: Series that one source may have; one more is refused, and counted.
SERIES_LIMIT = 10_000

#: Looks up series that are on disk and not in memory: labels to id and the end of their last chunk.
Recall = Callable[[Sequence[Labels]], Mapping[Labels, tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Appended:
    """What an append did.

    Args:
        ids: of the series that have a new sample, stale markers and explicit zeros included.
        new: ids of those that the head did not have before.
        refused: reason -> how many samples were not taken.
    """

    ids: Ints
    new: tuple[int, ...]
    refused: Mapping[str, int]


class Head:
    """A `Source` over the newest samples.

    Args:
        span: how long samples are kept at least; a rule whose window is longer asks `History`.
        recall: looks up series that are not in memory, so that "first seen ever" means ever; None if there are none.
        series_limit: series that one source may have.
        durable: whether samples are kept until chunks hold them; False where nothing is written (rehearsal).

    Attributes:
        blind: set by the agent while it cannot see: every probe's health is then `blind`.
        refused: (source, reason) -> samples refused so far: "future", "too old", "duplicate", "out of order",
            "too many series", "too many labels".
        newest_ms: time of the newest sample.
        set_aside: samples so far that lay in the future when the clock was set back.
        roster: the series in memory.
    """

    def __init__(
        self,
        span: timedelta = SPAN,
        recall: Recall | None = None,
        series_limit: int = SERIES_LIMIT,
        *,
        durable: bool = True,
    ) -> None:
        self.blind = False
        self.refused: Counter[tuple[str, str]] = Counter()
        self.newest_ms = NEVER
        self.set_aside = 0
        self.roster = Roster()
        self.lock = self.roster.lock
        self._arena, self._slots = self.roster.arena, self.roster.slots
        self._span_ms, self._recall = to_span_ms(span), recall
        self._limit, self._durable = series_limit, durable
        self._sources: dict[str, Shape] = {}
        self._numbered: dict[int, Shape] = {}
        self._since_ms = NEVER
        self._waiting: list[Rows] = []

    def __len__(self) -> int:
        return len(self.roster)

    # -- taking in -------------------------------------------------------------------------------------------------

    def append(self, batch: Batch) -> Appended:
        """Take in what one look brought.

        1. Find each sample's series; open the new ones, up to the source's limit.
        2. Refuse, by reason, what is in the future, too old, or there already.
        3. Before the first sample ever of a counter, write that it was 0 on the look before.
        4. Where a whole look no longer shows a series, write a stale marker.
        5. Keep it all for the next commit.
        """
        at_ms = to_ms(batch.at)
        with self.lock:
            source = self._source(batch)
            opened: list[Opened] = []
            slots = source.slots(batch.samples, lambda asked: self._open(source, batch, asked, opened))
            refusals = Refusals(source.refused)
            if not source.settled:
                self._slots.source[slots[slots >= 0]] = source.id
            taken = [take(slots, batch.samples, at_ms, self.newest_ms - REACH_MS, refusals)]
            if opened:
                taken.insert(0, zeros(opened, batch, source.whole_ms))
            if batch.whole and not source.settled:
                taken.append(gone(np.setdiff1d(self._slots.live_of(source.id), slots, assume_unique=True), at_ms))
                source.settled = True
            touched = Taken.joined([self._put(one, source, refusals) for one in taken])
            source.whole_ms = at_ms if batch.whole else source.whole_ms
            ids = self._slots.id[touched.slots]
            if self._durable:
                look = Look(source.id, source.name, at_ms, source.interval_ms, batch.whole)
                new = self.roster.named(one.slot for one in opened if one.ever)
                self._waiting.append(Rows(tuple(new), (look,), ids, touched.ts, touched.v))
            refused = {why: count for why, count in refusals.items() if count}
            self.refused.update({(source.name, why): count for why, count in refused.items()})
            return Appended(ids, tuple(int(self._slots.id[one.slot]) for one in opened), refused)

    def take_waiting(self) -> Rows:
        """Hand over what has arrived since the last call, for the journal."""
        with self.lock:
            waiting, self._waiting = self._waiting, []
            return Rows.joined(waiting)

    def put_back(self, rows: Rows) -> None:
        """Take back what could not be committed."""
        with self.lock:
            if rows:
                self._waiting.insert(0, rows)

    def _source(self, batch: Batch) -> Shape:
        interval_ms = to_span_ms(batch.interval)
        source = self._sources.get(batch.source)
        if source is None:
            source = self._know(Shape(1 + max(self._numbered, default=0), batch.source, interval_ms))
        if source.interval_ms != interval_ms:
            source.interval_ms = interval_ms
            self._slots.interval_ms[self._slots.source == source.id] = interval_ms
        return source

    def _know(self, source: Shape) -> Shape:
        self._sources[source.name] = self._numbered[source.id] = source
        return source

    def _open(
        self, source: Shape, batch: Batch, asked: Sequence[tuple[Sample, Labels]], opened: list[Opened]
    ) -> list[int]:
        """Return the slots of these, opening those that the head does not have.

        Args:
            source: who brings them.
            batch: that brings them; of a whole one only its own series count against the limit.
            asked: what the last look did not have.
            opened: takes what was opened.
        """
        missing = [labels for _, labels in asked if self.roster.slot_of(labels) is None]
        known = self._recall(missing) if missing and self._recall is not None else {}
        room = self._limit - (len(batch.samples) - len(asked) if batch.whole else len(self._slots.live_of(source.id)))
        self._arena.reserve(min(len(missing), max(room, 0)))
        found = []
        for sample, labels in asked:
            slot = self.roster.slot_of(labels)
            if slot is None and not fits(labels):
                found.append(UNFIT)
                continue
            if slot is None and room > 0:
                id_, flushed_ms = known.get(labels, (self.roster.last_id + 1, NEVER))
                slot = self.roster.add(Series(id_, labels, source.id), source.interval_ms, flushed_ms)
                opened.append(Opened(slot, sample, labels not in known))
            room -= 1
            found.append(REFUSED if slot is None else slot)
        return found

    def _put(self, taken: Taken, source: Shape, refusals: Refusals) -> Taken:
        """Put samples into their rows; return those that were taken."""
        if not len(taken.slots):
            return taken
        late = taken.ts <= self._arena.last_ms(taken.slots)
        inserted = Taken.joined(())
        if late.any():
            inserted = self._insert(taken.only(late), source, refusals)
            taken = taken.only(~late)
        slots, ts, v = taken.slots, taken.ts, taken.v
        self._arena.append(slots, ts, v, self._needless, self._wanted(source))
        stale = is_stale(v)
        self._slots.live[slots] = ~stale
        self._slots.stale[slots] |= stale
        if len(ts):
            self.newest_ms = max(self.newest_ms, int(ts.max()))
        return Taken.joined((inserted, taken))

    def _insert(self, late: Taken, source: Shape, refusals: Refusals) -> Taken:
        """Put late samples among those of their rows, unless they are very late; return those taken.

        Where chunks hold that time already, they are written anew, as if they held less.
        """
        needless, wanted = self._needless(late.slots), self._wanted(source)
        fresh = late.ts > self._arena.last_ms(late.slots) - LATE_MS
        refusals["out of order"] += int((~fresh).sum())
        inserted = np.zeros(len(fresh), np.bool_)
        for at in np.flatnonzero(fresh).tolist():
            slot, ts_ms, v = int(late.slots[at]), int(late.ts[at]), late.v[at]
            inserted[at] = self._arena.insert(slot, ts_ms, v, int(needless[at]), wanted)
        refusals["duplicate"] += int((fresh & ~inserted).sum())
        kept = late.only(inserted)
        self._slots.flushed_ms[kept.slots] = np.minimum(self._slots.flushed_ms[kept.slots], kept.ts - 1)
        self._slots.stale[kept.slots] |= is_stale(kept.v)
        return kept

    def _needless(self, slots: Ints) -> Ints:
        """Return up to when the rows of these slots need not keep their samples."""
        old = np.full(len(slots), self.newest_ms - max(self._span_ms, LATE_MS))
        return np.minimum(old, self._slots.flushed_ms[slots]) if self._durable else old

    def _wanted(self, source: Shape) -> int:
        return min(self._span_ms // max(source.interval_ms, 1), 100_000) + 2

    # -- answering -------------------------------------------------------------------------------------------------

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return windows over the head's own arrays: only for the thread that appends, and until it appends again."""
        return cut(self._arena, self._slots, self.roster.select(matchers), ends_ms, range_ms)

    def health(self, ids: Ints, at_ms: int) -> Health:
        """Return how the probes behind these series are, at worst."""
        return Health.BLIND if self.blind else self.roster.health(ids, at_ms)

    def reader(self) -> HeadReader:
        """Return a source for other threads."""
        return HeadReader(self)

    def series(self, matchers: Sequence[Matcher]) -> tuple[Ints, list[Labels]]:
        """Return ids and labels of the series in memory that fulfil every matcher."""
        with self.lock:
            found = self.roster.select(matchers)
            return self._slots.id[found.places], found.labels

    def labels_of(self, id_: int) -> Labels:
        """Return the labels of a series in memory."""
        return self.roster.labels_of(id_)

    @property
    def since_ms(self) -> int:
        """From when on the head has every sample; what is asked of an earlier time is in the chunks."""
        return max(self._since_ms, self.newest_ms - self._span_ms)

    def keep(self, span: timedelta) -> None:
        """Keep samples for so long from now on, 20 days at most; what was let go of does not come back."""
        with self.lock:
            self._since_ms = self.since_ms
            self._span_ms = to_span_ms(span)

    def rewind(self, now_ms: int) -> int:
        """Set aside what lies in the future, since the clock was set back; return how many samples that was.

        1. What a series showed last stays known, as of now: it was seen a moment ago, whatever the clock said then.
        2. What rows had let go of by the wrong time is asked of the chunks: see `since_ms`.
        """
        with self.lock:
            self._since_ms = min(self.since_ms, now_ms)
            slots, arena = self._slots.taken(), self._arena
            ahead = slots[(arena.last_ms(slots) > now_ms) & self._slots.live[slots]]
            last, before = arena.last(ahead), int(arena.count[slots].sum())
            arena.rewind(slots, now_ms)
            gone = before - int(arena.count[slots].sum())
            self._slots.flushed_ms[slots] = np.minimum(self._slots.flushed_ms[slots], now_ms - 1)
            self._waiting = [rows.until(now_ms) for rows in self._waiting]
            self.newest_ms = min(self.newest_ms, now_ms)
            for source in self._sources.values():
                source.forget()
                source.whole_ms = None if source.whole_ms is None else min(source.whole_ms, now_ms)
            free = arena.last_ms(ahead) < now_ms
            known = Taken(ahead[free], np.full(int(free.sum()), now_ms), last[free])
            arena.append(known.slots, known.ts, known.v, self._needless, 0)
            if len(known.slots) and self._durable:
                ids = self._slots.id[known.slots]
                self._waiting.append(Rows(looks=tuple(self.looks()), ids=ids, ts=known.ts, v=known.v))
            self._slots.live[slots] = False
            held = slots[arena.count[slots] > 0]
            self._slots.live[held] = ~is_stale(arena.last(held))
            self.set_aside += gone
            return gone

    def movable(self, names: Mapping[str, str]) -> dict[str, str]:
        """Return those of other names for sources that some source has as its earlier one, and none as its present."""
        return {was: name for was, name in names.items() if was in self._sources and name not in self._sources}

    def has_any(self, pairs: Iterable[tuple[str, str]]) -> bool:
        """Say whether a series in memory has one of these labels with its value."""
        with self.lock:
            return any(self.roster.select([Matcher(name, MatchOp.EQUAL, value)]).labels for name, value in pairs)

    def rename(self, sources: Mapping[str, str], labels: Mapping[int, Labels]) -> None:
        """Let sources have other names, and series, by id, other labels."""
        with self.lock:
            for was, name in sources.items():
                source = self._sources.pop(was)
                source.name = name
                self._know(source)
            self.roster.relabel(labels)
            for source in self._sources.values():
                source.forget()

    # -- the disk's side -------------------------------------------------------------------------------------------

    def restore_source(self, look: Look) -> None:
        """Know a source from before the restart; the last word counts."""
        source = self._sources.get(look.name)
        if source is None:
            source = self._know(Shape(look.source, look.name, look.interval_ms))
        source.interval_ms = look.interval_ms
        source.whole_ms = look.at_ms if look.whole else source.whole_ms

    def restore_series(self, series: Series, ts: Ints, v: Values, flushed_ms: int) -> None:
        """Know a series from before the restart, with its samples in ascending order."""
        source = self._numbered.get(series.source)
        self.roster.restore(series, source.interval_ms if source else 0, flushed_ms, ts, v)
        if len(ts):
            self.newest_ms = max(self.newest_ms, int(ts[-1]))

    def restored(self, since_ms: int, last_id: int) -> None:
        """End the restoration: the head has every sample from an instant on."""
        self._since_ms, self.roster.last_id = since_ms, max(self.roster.last_id, last_id)

    def looks(self) -> list[Look]:
        """Return when each source last showed all that it has."""
        return [
            Look(one.id, one.name, one.whole_ms or 0, one.interval_ms, one.whole_ms is not None)
            for one in list(self._sources.values())  # other threads ask, too
        ]

    def forget(self, now_ms: int) -> list[int]:
        """Let go of series of which nothing counts any more; return their ids. `recall` finds them again."""
        with self.lock:
            slots = self._slots.taken()
            newest = self._arena.last_ms(slots)
            kept = np.maximum(self._slots.lookback_ms(slots, DEFAULT_LOOKBACK_MS), self._span_ms)
            written = newest <= self._slots.flushed_ms[slots] if self._durable else np.True_
            dead = self.roster.remove(slots[(newest <= now_ms - kept) & written])
            for source in self._sources.values() if dead else ():
                source.forget()
            return dead


class HeadReader:
    """The head for threads that do not append: a `Source` whose windows are copies."""

    def __init__(self, head: Head) -> None:
        self._head = head

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return windows over arrays of their own."""
        with self._head.lock:
            return compact(self._head.windows(matchers, ends_ms, range_ms))

    def health(self, ids: Ints, at_ms: int) -> Health:
        """Return how the probes behind these series are, at worst."""
        with self._head.lock:
            return self._head.health(ids, at_ms)


def to_span_ms(span: timedelta) -> int:
    """Return a length of time in milliseconds, at most as long as the arena reaches."""
    return min(round(span / timedelta(milliseconds=1)), REACH_MS)
