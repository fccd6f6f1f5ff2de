"""How the probe behind a series is: by its own `probe_success`, as stored. Needs numpy.

The probe of a series is its label `probe`, else `job`. Where there is no `probe_success` of that name (pushed series,
heartbeats), the series is well: its age alone speaks for it.
"""

from __future__ import annotations

import numpy as np

from sentinel.core.labels import Labels
from sentinel.core.sample import Health
from sentinel.core.windows import is_stale
from sentinel.store.arena import Arena, Ints
from sentinel.store.slots import Slots

#: What says how the probe is must be judged while the probe fails.
_META = frozenset(("probe_success", "probe_duration_seconds", "probe_consecutive_failures", "probe_failure", "up"))

_WORST = (Health.FAILING, Health.LATE)


class Probes:
    """The probes behind series, and where each one's `probe_success` is kept."""

    def __init__(self, arena: Arena, slots: Slots) -> None:
        self._arena, self._slots = arena, slots
        self._numbers: dict[str, int] = {}
        self._success: list[int] = []

    def number(self, labels: Labels) -> int:
        """Return what a slot keeps of the probe behind it: twice its number, one more for what says how the probe is.

        -1 if no label names a probe.
        """
        name = labels.get("probe") or labels.get("job")
        if not name:
            return -1
        if (number := self._numbers.get(name)) is None:
            number = self._numbers[name] = len(self._success)
            self._success.append(-1)
        return 2 * number + (labels.name in _META)

    def opened(self, slot: int, labels: Labels) -> None:
        """Take note of a series that got a slot."""
        if labels.name == "probe_success" and (probe := labels.get("probe")):
            self._success[self._numbers[probe]] = slot

    def closed(self, slot: int, labels: Labels) -> None:
        """Take note of a series that lost its slot."""
        if labels.name == "probe_success" and (probe := labels.get("probe")):
            self._success[self._numbers[probe]] = -1

    def worst(self, slots: Ints, at_ms: int) -> Health:
        """Return how the probes behind these slots are at an instant, at worst."""
        found = {self._one(kept, at_ms) for kept in set(self._slots.probe[slots].tolist()) if kept >= 0}
        return next((health for health in _WORST if health in found), Health.WELL)

    def _one(self, kept: int, at_ms: int) -> Health:
        number, meta = divmod(kept, 2)
        slot = self._success[number]
        if slot < 0:
            return Health.WELL
        newest = int(self._arena.first_after(np.array([slot]), np.array([[at_ms]]))[0, 0]) - 1
        if newest < self._arena.start[slot] or is_stale(self._arena.v[newest : newest + 1])[0]:
            return Health.WELL  # nobody looks any more: the probe was taken out
        age = at_ms - self._arena.epoch_ms - int(self._arena.ts[newest])
        if age > int(self._slots.interval_ms[slot]) * 5 // 2:
            return Health.LATE
        return Health.FAILING if self._arena.v[newest] == 0 and not meta else Health.WELL
