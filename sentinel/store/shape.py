"""What one source showed on its last look, by position: the next look mostly shows the same series in the same order.

Comparing with the last look costs a tenth of a microsecond a sample, making and looking up `Labels` three. Needs numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from sentinel.core.labels import NAME, Labels
from sentinel.core.sample import Sample
from sentinel.store.arena import Ints

#: Slots of samples that are refused: their source has too many series, has shown the series already, or labels it with
#: more than can be kept.
REFUSED, UNFIT = -1, -2


class Shape:
    """A source, and the slots of what it showed.

    Args:
        id: its number, the same on disk.
        name: of the probe or pusher.
        interval_ms: how often it looks.
        whole_ms: when it last showed all that it has; None if it never did.
    """

    def __init__(self, id_: int, name: str, interval_ms: int, whole_ms: int | None = None) -> None:
        self.id, self.name, self.interval_ms, self.whole_ms = id_, name, interval_ms, whole_ms
        self.forget()

    def forget(self) -> None:
        """Take the next look as if it were the first: slots have changed hands."""
        self._names: list[str] = []
        self._labels: list[Mapping[str, str]] = []
        self._slots = np.empty(0, np.int64)
        #: Reason -> samples of the last look that have no slot.
        self.refused: dict[str, int] = {}
        #: Whether the source's live series are exactly those of the last look.
        self.settled = False

    def slots(self, samples: Sequence[Sample], find: Callable[[Sequence[tuple[Sample, Labels]]], list[int]]) -> Ints:
        """Return the slot of each sample, REFUSED or UNFIT (both below 0) for those that are not taken.

        Args:
            samples: of one look.
            find: returns the slots of samples that the last look did not have, opening new ones.
        """
        names = [sample.name for sample in samples]
        labels = [sample.labels for sample in samples]
        if names == self._names and labels == self._labels:
            self._names, self._labels = names, labels  # whoever keeps the look keeps these anyway
            return self._slots
        found, unknown = self._align(names, labels)
        asked = [(samples[at], Labels.of(labels[at], **{NAME: names[at]})) for at in unknown]
        for at, slot in zip(unknown, find(asked), strict=True):
            found[at] = slot
        self.refused = {"too many series": found.count(REFUSED), "too many labels": found.count(UNFIT), "duplicate": 0}
        seen: set[int] = set()
        for at, slot in enumerate(found):
            if slot in seen:
                found[at] = REFUSED
                self.refused["duplicate"] += 1
            elif slot >= 0:
                seen.add(slot)
        self._names, self._labels, self._slots = names, labels, np.array(found, np.int64)
        self.settled = False
        return self._slots

    def _align(self, names: list[str], labels: list[Mapping[str, str]]) -> tuple[list[int], list[int]]:
        """Walk along the last look; step over one that vanished, stand still at one that is new."""
        was = list(zip(self._names, self._labels, self._slots.tolist(), strict=True))
        found, unknown, at = [], [], 0
        for place, (name, pairs) in enumerate(zip(names, labels, strict=True)):
            for ahead in (at, at + 1):
                if ahead < len(was) and was[ahead][0] == name and was[ahead][1] == pairs and was[ahead][2] >= 0:
                    found.append(was[ahead][2])
                    at = ahead + 1
                    break
            else:
                found.append(REFUSED)
                unknown.append(place)
        return found, unknown
