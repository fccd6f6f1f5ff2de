"""The series in memory: their labels, their slots, their rows of samples, and how far chunks hold them. Needs numpy."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from sentinel.core.labels import Labels, Matcher
from sentinel.core.sample import Health
from sentinel.core.windows import Values, is_stale
from sentinel.store.arena import Arena, Ints, spread
from sentinel.store.flat import Flat
from sentinel.store.health import Probes
from sentinel.store.index import Index, Selection
from sentinel.store.rows import Series
from sentinel.store.slots import Slots


class Roster:
    """Series by id, by labels and by slot. The desk's thread changes it, under the lock; others read under the lock."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.arena, self.slots = Arena(), Slots()
        self.last_id = 0
        self._index = Index()
        self._probes = Probes(self.arena, self.slots)
        self._by_labels: dict[Labels, int] = {}
        self._by_id: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._by_id)

    def __contains__(self, id_: int) -> bool:
        return id_ in self._by_id

    def add(self, series: Series, interval_ms: int, flushed_ms: int, samples: int = 0) -> int:
        """Take in a series, and return its slot.

        Args:
            series: its id has not been taken in yet.
            interval_ms: how often its source looks.
            flushed_ms: up to when chunks hold its samples.
            samples: how many its row must hold at once.
        """
        probe = self._probes.number(series.labels)
        slot = self.slots.open(series.id, series.source, interval_ms, probe, flushed_ms)
        self.arena.open(slot, samples)
        labels = self._index.add(slot, series.labels)
        self._probes.opened(slot, labels)
        self._by_labels[labels] = self._by_id[series.id] = slot
        self.last_id = max(self.last_id, series.id)
        return slot

    def restore(self, series: Series, interval_ms: int, flushed_ms: int, ts: Ints, v: Values) -> None:
        """Take in a series from before the restart, with its samples in ascending order."""
        slot = self.add(series, interval_ms, flushed_ms, len(ts) + 1)
        self.arena.fill(slot, ts, v)
        if len(v):
            stale = is_stale(v)
            self.slots.live[slot], self.slots.stale[slot] = not stale[-1], stale.any()

    def remove(self, slots: Ints) -> list[int]:
        """Let go of the series in these slots, and return their ids."""
        ids: list[int] = self.slots.id[slots].tolist()
        for slot, id_ in zip(slots.tolist(), ids, strict=True):
            labels = self._index.labels_of(slot)
            self._probes.closed(slot, labels)
            self.slots.close(slot)
            self.arena.close(slot)
            del self._by_labels[labels], self._by_id[id_]
        if ids:
            self._index.remove(slots.tolist())
        return ids

    def relabel(self, labels: Mapping[int, Labels]) -> None:
        """Let series, by id, have other labels; those that are not in memory are passed over."""
        with self.lock:
            slots = {self._by_id[id_]: one for id_, one in labels.items() if id_ in self._by_id}
            for slot in slots:
                was = self._index.labels_of(slot)
                self._probes.closed(slot, was)
                del self._by_labels[was]
            self._index.relabel(slots)
            for slot in slots:
                one = self._index.labels_of(slot)
                self.slots.probe[slot] = self._probes.number(one)
                self._probes.opened(slot, one)
                self._by_labels[one] = slot

    def ids(self) -> set[int]:
        """Return the ids of the series in memory."""
        with self.lock:
            return set(self._by_id)

    def slot_of(self, labels: Labels) -> int | None:
        """Return the slot of a series, None if it is not in memory."""
        return self._by_labels.get(labels)

    def labels_at(self, slot: int) -> Labels:
        """Return the labels of the series in a slot."""
        return self._index.labels_of(slot)

    def labels_of(self, id_: int) -> Labels:
        """Return the labels of a series in memory."""
        return self._index.labels_of(self._by_id[id_])

    def shared(self, series: Series) -> Labels:
        """Return the labels of a series: the very ones that are in memory, if it is there."""
        with self.lock:
            slot = self._by_id.get(series.id)
            return series.labels if slot is None else self._index.labels_of(slot)

    def select(self, matchers: Sequence[Matcher]) -> Selection:
        """Return the series that fulfil every matcher, by slot."""
        return self._index.select(matchers)

    def held_between(self, matchers: Sequence[Matcher], since_ms: int, until_ms: int) -> set[int]:
        """Return the ids of the series that fulfil every matcher and have a sample in memory within these bounds."""
        with self.lock:
            places = self.select(matchers).places
            past = self.arena.first_after(places, np.array([[since_ms - 1, until_ms]]))
            return set(self.slots.id[places[past[:, 1] > past[:, 0]]].tolist())

    def health(self, ids: Ints, at_ms: int) -> Health:
        """Return how the probes behind these series are, at worst."""
        slots = [slot for id_ in ids.tolist() if (slot := self._by_id.get(id_)) is not None]
        return self._probes.worst(np.array(slots, np.int64), at_ms)

    def series_after(self, id_: int) -> list[Series]:
        """Return the series in memory with a greater id."""
        with self.lock:
            slots = self.slots.taken()
            return self.named(slots[self.slots.id[slots] > id_].tolist())

    def row(self, id_: int) -> tuple[Ints, Values]:
        """Return all samples in memory of a series, copied; none if it is not in memory."""
        with self.lock:
            slot = self._by_id.get(id_)
            return self.arena.row(slot) if slot is not None else (np.empty(0, np.int64), np.empty(0, np.float64))

    def flat(self, ids: Ints, after_ms: int, until_ms: int) -> Flat:
        """Return the samples in memory of these series in (after, until], copied, by their places among these."""
        with self.lock:
            held = [
                (place, slot) for place, id_ in enumerate(ids.tolist()) if (slot := self._by_id.get(id_)) is not None
            ]
            if not held:
                return Flat(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
            places, slots = np.array(held).T
            bounds = self.arena.first_after(slots, np.array([[after_ms, until_ms]]))
            taken, length = spread(bounds[:, 0], bounds[:, 1])
            ts = self.arena.ts[taken] + np.int64(self.arena.epoch_ms)
            return Flat(np.repeat(places, length), ts, self.arena.v[taken])

    def unflushed(self) -> list[int]:
        """Return the ids of the series with samples that no chunk holds, ascending."""
        slots = self.slots.taken()
        behind = self.arena.last_ms(slots) > self.slots.flushed_ms[slots]
        return sorted(self.slots.id[slots[behind]].tolist())

    def unflushed_of(self, id_: int) -> tuple[Ints, Values]:
        """Return the samples of one series that no chunk holds."""
        ts, v = self.row(id_)
        fresh = ts > (self.slots.flushed_ms[self._by_id[id_]] if len(ts) else 0)
        return ts[fresh], v[fresh]

    def interval_ms(self, id_: int) -> int:
        """Return how often the source of a series in memory looks."""
        return int(self.slots.interval_ms[self._by_id[id_]])

    def flushed(self, until_ms: Mapping[int, int]) -> None:
        """Know up to when chunks hold the samples of these series."""
        with self.lock:
            for id_, until in until_ms.items():
                slot = self._by_id[id_]
                self.slots.flushed_ms[slot] = until
                self.slots.stale[slot] = bool(is_stale(self.arena.row(slot)[1]).any())

    def named(self, slots: Iterable[int]) -> list[Series]:
        """Return the series in these slots."""
        return [Series(int(self.slots.id[at]), self._index.labels_of(at), int(self.slots.source[at])) for at in slots]
