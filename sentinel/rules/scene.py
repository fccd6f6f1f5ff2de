"""Scene: the series behind the elements of a rule at one instant: are they there, and how are their probes?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import NAME, Labels, Matcher, MatchOp
from sentinel.core.quantity import format_duration
from sentinel.core.sample import Health
from sentinel.core.windows import Source, Windows, is_stale
from sentinel.rules.behind import Behind
from sentinel.rules.form import Compiled

#: How long a series that no probe answers for may be silent before it is gone.
SILENT_MS = 900_000
#: Between the end of a newest value and the word that its probe is late may lie an evaluation.
MARGIN_MS = 60_000

#: What was let go of is found where one looks back further than newest samples are kept in memory.
EVER_MS = 86_400_000

_WORDS = {
    Health.FAILING: "probe {probe} fails",
    Health.LATE: "probe {probe} is late",
    Health.BLIND: "the agent is blind",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One series in one window: its last sample, and what it rests on.

    Args:
        labels: of the series.
        first_ms: time of its first sample in the window, None where there is none.
        newest_ms: time of its last sample there; None where there is none, or the series has ended.
        ended: whether that last one is a stale marker.
        recent: times of its last few samples there.
    """

    labels: Labels
    first_ms: int | None
    newest_ms: int | None
    ended: bool
    recent: NDArray[np.int64] | NDArray[np.int32]

    @property
    def between_ms(self) -> float | None:
        """Its interval: the middle one of the last few distances, so that a missed look does not count as a longer one.

        None where there are too few samples.
        """
        return float(np.median(np.diff(self.recent))) if len(self.recent) > 1 else None


class Scene:
    """What a source knows of the series that a rule reads; each question is asked at most once."""

    def __init__(self, compiled: Compiled, source: Source, at_ms: int) -> None:
        self._compiled, self._source, self._at_ms = compiled, source, at_ms
        self._window_ms = round(compiled.window.total_seconds() * 1000)
        self._known: dict[int, Behind] = {}  # each holds the list whose identity it is found by

    @property
    def seen(self) -> bool:
        """Whether the source ever knew any series that could carry an element; it is asked beyond the newest ones."""
        return any(len(self._cut(carrier.matchers, EVER_MS).ids) for carrier in self._compiled.carriers)

    @property
    def sighted(self) -> bool:
        """Whether any series that could carry an element has a newest value that counts."""
        return any(row.newest_ms is not None for windows in self._newest for row in rows(windows))

    @cached_property
    def blind(self) -> bool:
        """Whether the agent reaches nothing at all."""
        windows = self._cut([Matcher(NAME, MatchOp.EQUAL, "sentinel_blind")])
        return any(windows.v[windows.hi[place, 0] - 1] > 0 for place, row in enumerate(rows(windows)) if row.newest_ms)

    @cached_property
    def unwatched(self) -> str:
        """Say how much of the window the agent has looked without a break; "" where it was all of it."""
        windows = self._cut([Matcher(NAME, MatchOp.EQUAL, "sentinel_blind")], self._window_ms + MARGIN_MS)
        spans = [slice(lo, hi) for lo, hi in zip(windows.lo[:, 0], windows.hi[:, 0], strict=True)]
        looked = [windows.ts[span][windows.v[span] == 0] for span in spans]
        times = np.sort(np.concatenate([*looked, [self._at_ms - windows.epoch_ms]])) + windows.epoch_ms
        apart = np.diff(times)
        after_breaks = times[1:][apart > 4 * np.median(apart)] if len(apart) else times
        watched_ms = self._at_ms - int(after_breaks[-1] if len(after_breaks) else times[0])
        if watched_ms >= self._window_ms:
            return ""
        return f"the agent has looked for {rough(watched_ms)} of {format_duration(self._compiled.window)}"

    def unwell(self, element: Labels) -> str:
        """Say why nobody can know how this element stands; "" where its probes are well."""
        return next((self._unwell[place][1] for place in self._behind_unwell.of(element)), "")

    @property
    def trouble(self) -> str:
        """Say what is wrong with the first probe behind the rule that does not say how things stand."""
        return next((why for _, why in self._unwell), "")

    def ended(self, element: Labels) -> bool:
        """Say whether its probe said that the last series that carried the element is gone."""
        if not self._window_ms or any(row.newest_ms is not None for row in self._of(element, self._newest)):
            return False
        return any(row.ended for row in self._of(element, self._over_window))

    def gone(self, element: Labels) -> bool:
        """Say whether the series that carried the element have ended, or are silent for long."""
        return all(row.newest_ms is None for row in self._of(element, self._lately))

    def missing(self, element: Labels) -> str:
        """Say what is missing of data over the whole window; "" where they cover it."""
        filled = [row for row in self._of(element, self._over_window) if row.first_ms is not None]
        if all(row.newest_ms is None for row in self._of(element, self._before_window)):
            oldest = min((row.first_ms for row in filled if row.first_ms is not None), default=self._at_ms)
            return f"{rough(self._at_ms - oldest)} of {format_duration(self._compiled.window)}"
        newest = max(filled, key=lambda row: row.newest_ms or 0, default=None)
        if newest is None or newest.newest_ms is None:
            return ""
        age_ms = self._at_ms - newest.newest_ms
        if newest.between_ms is not None and age_ms > 2 * newest.between_ms:
            return f"the newest is {rough(age_ms)} old"
        return self._hole(element) if self._compiled.throughout else ""

    def _hole(self, element: Labels) -> str:
        """Say for how long the window had no value that counts; "" where there always was one."""
        for windows in self._around_window:
            places = list(self._behind(windows).of(element))
            taken = [windows.ts[windows.lo[place, 0] : windows.hi[place, 0]] for place in places]
            times = np.sort(np.concatenate([*taken, [self._at_ms - windows.epoch_ms]]))
            within = times[1:] + windows.epoch_ms > self._at_ms - self._window_ms
            longest_ms = int(np.diff(times)[within].max(initial=0))
            if places and longest_ms > int(windows.lookback_ms[places].max()):
                return f"nothing for {rough(longest_ms)}"
        return ""

    def _of(self, element: Labels, found: Sequence[Windows]) -> Iterator[Row]:
        """Iterate over the rows of the series that carry an element."""
        for windows in found:
            for place in self._behind(windows).of(element):
                yield row_of(windows, place)

    def _behind(self, windows: Windows) -> Behind:
        """Return which series of windows go into which element; those of the same series share it."""
        known = self._known.get(id(windows.labels))
        if known is None:
            known = self._known[id(windows.labels)] = Behind(windows.labels, self._compiled)
        return known

    @cached_property
    def _newest(self) -> list[Windows]:
        return [self._cut(carrier.matchers) for carrier in self._compiled.carriers]

    @cached_property
    def _lately(self) -> list[Windows]:
        """Look back a little further than a newest value counts, and as far as a pushed series may be silent."""
        longest = max((int(windows.lookback_ms.max()) for windows in self._newest if len(windows.ids)), default=0)
        range_ms = max(SILENT_MS, self._window_ms, longest + MARGIN_MS)
        return [self._cut(carrier.matchers, range_ms) for carrier in self._compiled.carriers]

    @cached_property
    def _over_window(self) -> list[Windows]:
        return [self._cut(carrier.matchers, self._window_ms) for carrier in self._compiled.carriers]

    @cached_property
    def _before_window(self) -> list[Windows]:
        start_ms = self._at_ms - self._window_ms
        return [self._cut(carrier.matchers, at_ms=start_ms) for carrier in self._compiled.carriers]

    @cached_property
    def _around_window(self) -> list[Windows]:
        """Look back a little further than the window, to the value that counts at its start."""
        longest = max(
            (int(windows.lookback_ms.max()) for windows in self._before_window if len(windows.ids)), default=0
        )
        return [self._cut(carrier.matchers, self._window_ms + longest) for carrier in self._compiled.carriers]

    def _cut(self, matchers: Sequence[Matcher], range_ms: int | None = None, at_ms: int | None = None) -> Windows:
        end = np.array([self._at_ms if at_ms is None else at_ms], dtype=np.int64)
        return self._source.windows(matchers, end, range_ms)

    @cached_property
    def _unwell(self) -> list[tuple[Labels, str]]:
        """The series whose probes do not say how they stand, and why."""
        found: list[tuple[Labels, str]] = []
        for matchers in dict.fromkeys(read.matchers for read in self._compiled.reads):
            windows = self._cut(matchers)
            if len(windows.ids) and self._source.health(windows.ids, self._at_ms) is not Health.WELL:
                found += self._unwell_of(windows)
        return found

    @cached_property
    def _behind_unwell(self) -> Behind:
        return Behind([labels for labels, _ in self._unwell], self._compiled)

    def _unwell_of(self, windows: Windows) -> Iterator[tuple[Labels, str]]:
        """Ask probe by probe; a series that a failing look itself reported (a status code) is known."""
        places_of: dict[str, list[int]] = {}
        for place, labels in enumerate(windows.labels):
            places_of.setdefault(labels.get("probe") or labels.get("job"), []).append(place)
        for probe, places in places_of.items():
            health = self._source.health(windows.ids[places], self._at_ms)
            if health is Health.WELL:
                continue
            looked_ms = self._last_look(probe) if health is Health.FAILING else None
            for row in (row_of(windows, place) for place in places):
                if looked_ms is None or row.newest_ms is None or row.newest_ms < looked_ms:
                    yield row.labels, _WORDS[health].format(probe=probe)

    def _last_look(self, probe: str) -> int | None:
        success = Matcher(NAME, MatchOp.EQUAL, "probe_success"), Matcher("probe", MatchOp.EQUAL, probe)
        return max((row.newest_ms for row in rows(self._cut(success)) if row.newest_ms is not None), default=None)


def rows(windows: Windows) -> Iterator[Row]:
    """Iterate over the series of windows that end at one instant."""
    return (row_of(windows, place) for place in range(len(windows.ids)))


def row_of(windows: Windows, place: int) -> Row:
    """Return one series of windows that end at one instant."""
    lo, hi = int(windows.lo[place, 0]), int(windows.hi[place, 0])
    recent = windows.ts[max(lo, hi - 9) : hi]
    if hi <= lo:
        return Row(windows.labels[place], None, None, ended=False, recent=recent)
    ended = windows.has_stale and bool(is_stale(windows.v[hi - 1 : hi])[0])
    newest_ms = None if ended else int(windows.ts[hi - 1]) + windows.epoch_ms
    return Row(windows.labels[place], int(windows.ts[lo]) + windows.epoch_ms, newest_ms, ended, recent)


def rough(length_ms: int) -> str:
    """Write a length of time by its greatest unit: `1d`, `3h`, `45s`."""
    duration = timedelta(milliseconds=length_ms)
    for unit in (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)):
        if duration >= unit:
            return format_duration(duration // unit * unit)
    return format_duration(timedelta(seconds=int(duration.total_seconds())))
