"""The script of a test: what stands under `series`, `probes`, `jobs` and the rest, as events in the order of time."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count, islice

from sentinel.config.cases import Case
from sentinel.config.scripts import MISSED, UP, Calls
from sentinel.config.series import labels_of
from sentinel.core.heartbeat import Ping, PingKind
from sentinel.core.labels import Labels
from sentinel.core.notation import STALE_MARK, Value, parse_values
from sentinel.core.operator import Silence
from sentinel.core.sample import COUNTER_ENDINGS, Batch, Sample
from sentinel.core.schedule import Cron, Every
from sentinel.core.windows import STALE
from sentinel.probes.heartbeat import HeartbeatKind
from sentinel.probes.probe import Probe
from sentinel.probes.run import verdict
from sentinel.rehearsal.event import Event, Said, TakenInHand


def script_of(case: Case, probes: Mapping[str, Probe]) -> Iterator[Event]:
    """Yield everything that happens in a test, in the order of time; of one instant, people come before samples."""
    parts = [_people(case), *_looks(case, probes)]
    parts += [_calls(name, calls, probes[name], case) for name, calls in case.keys.jobs.items() if name in probes]
    return heapq.merge(*parts, key=lambda event: event.at)


def _people(case: Case) -> Iterator[Event]:
    """Yield what people set, and what the test says is the case."""
    start, keys = case.start, case.keys
    events = []
    for number, one in enumerate(keys.silences):
        match = dict(one.match.wanted)
        at = start + one.at
        events.append(Event(at, Silence(f"test-{number}", match, "the test", one.reason, at, at + one.for_)))
    for taken in keys.acknowledge:
        what = TakenInHand(case.rules.get(taken.rule, ()), Labels.of(taken.labels), taken.for_)
        events.append(Event(start + taken.at, what))
    for given in keys.alerts:
        for rule in case.rules.get(given.rule, ()):
            labels = Labels.of(given.labels)
            events.append(Event(start + given.from_, Said(rule, labels, holds=True, severity=given.severity)))
            if given.until is not None:
                events.append(Event(start + given.until, Said(rule, labels, holds=False)))
    return iter(sorted(events, key=lambda event: event.at))


def _looks(case: Case, probes: Mapping[str, Probe]) -> Iterator[Iterator[Event]]:
    """Yield the looks of each probe: those that a series names, and those whose looks are scripted."""
    series: dict[str, dict[Labels, list[Value]]] = defaultdict(dict)
    for name, values in case.keys.series.items():
        labels = labels_of(name)
        series[labels.get("probe") or labels.get("job")][labels] = parse_values(values)
    for owner in {**series, **case.keys.probes}:
        probe = probes.get(owner)
        yield _Source(case, owner, probe, series.get(owner, {})).events()


class _Source:
    """One probe: its series, and how its looks end.

    Args:
        case: the test.
        name: of the probe; "" is whoever brings series that name none.
        probe: its definition, if the tree has one.
        series: labels to values, one each interval of the test.
    """

    def __init__(self, case: Case, name: str, probe: Probe | None, series: Mapping[Labels, Sequence[Value]]) -> None:
        self._case, self._name, self._probe, self._series = case, name, probe, series
        self._script: tuple[str, ...] = case.keys.probes.get(name, (UP,))
        scripted = name in case.keys.probes and probe is not None
        self._every = probe.interval if probe is not None and scripted else case.keys.interval
        self._said = {labels.name for labels in series}
        job = probe is not None and isinstance(probe.kind, HeartbeatKind)
        self._speaks = bool(name) and "probe_success" not in self._said and not job
        self._failures, self._reason = 0, ""

    def events(self) -> Iterator[Event]:
        """Yield its looks, and what its series show between them."""
        case, up = self._case, True
        looks = {at * self._every: at for at in range(case.lasts // self._every + 1)} if self._speaks else {}
        longest = max((len(values) for values in self._series.values()), default=0)
        steps = {at * case.keys.interval: at for at in range(longest) if at * case.keys.interval <= case.lasts}
        shown: set[Labels] = set()
        for at in sorted({*looks, *steps}):
            samples: list[Sample] = []
            if at in looks:
                word = self._script[min(looks[at], len(self._script) - 1)]
                if word == MISSED:
                    up = False
                    continue
                up = word == UP
                samples += self._verdict(word)
            if at in steps and up:
                step = steps[at]
                if begun := [sample for sample in self._begun(step, shown) if at]:
                    yield self._event(at - case.keys.interval, begun, case.start + at)
                samples += self._values(step, shown)
            if samples:
                yield self._event(at, samples, case.start + at)

    def _event(self, at: timedelta, samples: Sequence[Sample], when: datetime) -> Event:
        source = self._name or "series"
        return Event(when, Batch(source, tuple(samples), self._case.start + at, self._every, whole=False))

    def _values(self, step: int, shown: set[Labels]) -> Iterator[Sample]:
        for labels, values in self._series.items():
            value = values[step] if step < len(values) else None
            if value is not None:
                shown.add(labels)
                yield Sample(labels.name, STALE if value == STALE_MARK else float(value), labels.unnamed.as_dict())

    def _begun(self, step: int, shown: set[Labels]) -> Iterator[Sample]:
        """Yield that a counter was 0 on the look before the first that shows it, as a probe that counts from zero."""
        for labels, values in self._series.items():
            value = values[step] if step < len(values) else None
            if labels not in shown and isinstance(value, float) and labels.name.endswith(COUNTER_ENDINGS):
                yield Sample(labels.name, 0.0, labels.unnamed.as_dict())

    def _verdict(self, word: str) -> list[Sample]:
        """Return what a run yields by itself, less what the test says of it: how long it took, say."""
        before, self._reason = self._reason, "" if word == UP else word
        self._failures = self._failures + 1 if self._reason else 0
        labels = {**(self._probe.labels if self._probe else {}), "probe": self._name}
        yields = verdict(labels, self._reason, before, self._failures, 0.0)
        return [sample for sample in yields if sample.name not in self._said]


def _calls(name: str, phrases: Sequence[Calls], probe: Probe, case: Case) -> Iterator[Event]:
    """Yield the calls of a job, as long as somebody asks for more."""
    assert isinstance(probe.kind, HeartbeatKind)
    schedule, begin = probe.kind.timing.schedule, case.start
    for number, phrase in enumerate(phrases):
        last = number == len(phrases) - 1
        times, end = _moments(phrase, schedule, begin, last=last)
        for at in times:
            yield from _run(name, phrase, at)
        begin = end or begin


def _moments(
    phrase: Calls, schedule: Every | Cron, begin: datetime, *, last: bool
) -> tuple[Iterator[datetime], datetime | None]:
    """Return when a phrase calls, and when the next one begins; None where there is none."""
    until = begin + phrase.lasts if phrase.lasts is not None else None
    if phrase.kind is None:
        return iter(()), until or begin
    if not phrase.repeats:
        return iter((begin,)), until or begin + (phrase.taking or timedelta())
    moments: Iterator[datetime]
    if phrase.every is None and isinstance(schedule, Cron):
        moments = schedule.after(begin - timedelta(seconds=1))
    else:
        apart = phrase.every or (schedule.interval if isinstance(schedule, Every) else timedelta())
        moments = (begin + number * apart for number in count())
    if until is not None:
        return _before(moments, until), until
    if phrase.times is None and last:
        return moments, None
    taken = list(islice(moments, phrase.times or 1))
    after = taken[-1] + phrase.every if phrase.every else next(moments)
    return iter(taken), after


def _before(moments: Iterator[datetime], until: datetime) -> Iterator[datetime]:
    for at in moments:
        if at >= until:
            return
        yield at


def _run(name: str, phrase: Calls, at: datetime) -> Iterator[Event]:
    assert phrase.kind is not None
    if phrase.taking is not None:
        yield Event(at, Ping(name, PingKind.START, at))
        at += phrase.taking
    yield Event(at, Ping(name, phrase.kind, at, phrase.exit_code, body=phrase.body))
