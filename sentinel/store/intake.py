"""Which samples of a look are taken, and which are added to them: pure, between a batch and the head. Needs numpy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.sample import Batch, Sample
from sentinel.core.windows import STALE_BITS
from sentinel.store.arena import Ints

#: How far ahead of its look a sample may be: another machine's clock is never quite ours.
FUTURE_MS = 60_000

#: How old a sample may be on its arrival; whoever has older ones imports them.
OLDEST_MS = 3_600_000

#: How much older than the newest sample of its series a sample may be.
LATE_MS = 600_000

#: A series has at most so many labels, of so many characters in all.
LABELS, CHARACTERS = 64, 8192

#: Reason -> samples refused: "future", "too old", "duplicate", "out of order", "too many series", "too many labels".
Refusals = Counter[str]


@dataclass(frozen=True, slots=True)
class Taken:
    """Samples by slot, each slot at most once."""

    slots: Ints
    ts: Ints
    v: NDArray[np.float64]

    def only(self, which: NDArray[np.bool_]) -> Taken:
        """Return some of them."""
        return Taken(self.slots[which], self.ts[which], self.v[which])

    @classmethod
    def joined(cls, parts: Iterable[Taken]) -> Taken:
        """Put several after one another."""
        parts = [part for part in parts if len(part.slots)]
        if len(parts) == 1:
            return parts[0]
        if not parts:
            return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float64))
        return cls(
            np.concatenate([part.slots for part in parts]),
            np.concatenate([part.ts for part in parts]),
            np.concatenate([part.v for part in parts]),
        )


@dataclass(frozen=True, slots=True)
class Opened:
    """A series that the head did not have: its slot, the sample that brought it, and whether it is new ever."""

    slot: int
    sample: Sample
    ever: bool


def take(slots: Ints, samples: Sequence[Sample], at_ms: int, least_ms: int, refusals: Refusals) -> Taken:
    """Return the samples of a look that may be stored.

    Args:
        slots: of each sample's series, below 0 where it has none.
        samples: of the look.
        at_ms: when the look was; a sample without a time of its own has this.
        least_ms: a sample up to then is too old in any case.
        refusals: counts what is not taken.
    """
    v = np.array([sample.value for sample in samples], np.float64)
    times = [sample.time for sample in samples]
    known = slots >= 0
    if times.count(None) == len(times) and at_ms > least_ms:  # as of most looks, each of its own time
        every = Taken(slots, np.full(len(samples), at_ms), v)
        return every if known.all() else every.only(known)
    ts = np.array([at_ms if time is None else to_ms(time) for time in times], np.int64)
    future, old = known & (ts > at_ms + FUTURE_MS), known & (ts <= max(at_ms - OLDEST_MS, least_ms))
    fine = known & ~future & ~old
    if fine.all():
        return Taken(slots, ts, v)
    refusals["future"] += int(future.sum())
    refusals["too old"] += int(old.sum())
    return Taken(slots[fine], ts[fine], v[fine])


def fits(labels: Labels) -> bool:
    """Say whether these labels may be kept: a text that got into a label must not fill memory and disk."""
    return len(labels) <= LABELS and sum(len(name) + len(value) for name, value in labels) <= CHARACTERS


def zeros(opened: Sequence[Opened], batch: Batch, whole_ms: int | None) -> Taken:
    """Return the zero of each counter that is seen for the first time ever, at the time of the look before.

    Only where the source's counters begin at zero and it had shown all that it has before; a counter whose exposition
    says that it was created before that look was not zero then, but unseen.

    Args:
        opened: series that the head did not have.
        batch: that brought them.
        whole_ms: when the source last showed all that it has; None if it never did.
    """
    slots = []
    if whole_ms is not None and batch.whole and batch.counters_from_zero:
        slots = [
            one.slot
            for one in opened
            if one.ever and one.sample.counter and (one.sample.created is None or one.sample.created * 1000 > whole_ms)
        ]
    return Taken(np.array(slots, np.int64), np.full(len(slots), whole_ms or 0, np.int64), np.zeros(len(slots)))


def gone(slots: Ints, at_ms: int) -> Taken:
    """Return a stale marker for each of these."""
    return Taken(slots, np.full(len(slots), at_ms, np.int64), np.full(len(slots), STALE_BITS).view(np.float64))
