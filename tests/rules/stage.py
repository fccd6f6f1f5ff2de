"""A stage for rules: looks of one probe go in, and the alerts of one rule come out, step by step.

The stage over `Block` says in a few lines what the store has to do; the one over the real head is what runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

from sentinel.alerts import advance, retire
from sentinel.core.alert import Alert, Observed, Phase, Transition
from sentinel.core.clock import to_ms
from sentinel.core.labels import NAME, Labels
from sentinel.core.sample import Batch, Health, Sample
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, STALE, Source
from sentinel.promql.block import Block
from sentinel.rules import Rule
from sentinel.rules.observe import observe
from sentinel.store.head import Head

START = datetime(2026, 11, 2, tzinfo=UTC)
PROBE = "shop"


class Store(Protocol):
    """Takes what a look brought, and is a source afterwards."""

    def append(self, batch: Batch) -> object:
        """Store it."""
        ...

    def source(self, now: datetime) -> Source:
        """Return what was stored, as it is now."""
        ...


class _Known(Block):
    """A block whose one probe has a health."""

    said = Health.WELL

    def health(self, ids: object, at_ms: int) -> Health:
        """Return what the last look says."""
        return self.said


class BlockStore:
    """A store of one probe, over plain lists."""

    def __init__(self) -> None:
        self._series: dict[Labels, list[tuple[int, float]]] = {}
        self._looked: list[Batch] = []

    def append(self, batch: Batch) -> None:
        """Store a look: what a successful one does not show any more is gone; a counter seen late began at zero."""
        at_ms, shown = to_ms(batch.at), set()
        for sample in batch.samples:
            labels = Labels.of(sample.labels, **{NAME: sample.name})
            shown.add(labels)
            if labels not in self._series:
                wells = [look for look in self._looked if look.whole]
                self._series[labels] = [(to_ms(wells[-1].at), 0.0)] if wells and sample.counter else []
            self._series[labels].append((at_ms, sample.value))
        if batch.whole:
            for labels, samples in self._series.items():
                if labels not in shown and samples[-1][1] == samples[-1][1]:
                    samples.append((at_ms, STALE))
        self._looked.append(batch)

    def source(self, now: datetime) -> Source:
        """Return what was stored, as it is now."""
        interval_ms = round(self._looked[-1].interval.total_seconds() * 1000) if self._looked else 0
        block = _Known(self._series, lookback_ms=max(DEFAULT_LOOKBACK_MS, interval_ms * 5 // 2))
        if self._looked and now - self._looked[-1].at > 2.5 * self._looked[-1].interval:
            block.said = Health.LATE
        elif self._looked and not self._looked[-1].whole:
            block.said = Health.FAILING
        return block


class HeadStore:
    """The store's own head."""

    def __init__(self) -> None:
        self._head = Head(timedelta(days=9), durable=False)

    def append(self, batch: Batch) -> None:
        """Store a look."""
        self._head.append(batch)

    def source(self, now: datetime) -> Source:
        """Return the head."""
        return self._head


def stores() -> list[type[Store]]:
    """Return every store that a case should hold for."""
    return [BlockStore, HeadStore]


class Stage:
    """One rule, its alerts, and the store that it reads."""

    def __init__(self, rule: Rule, every: timedelta, store: Store, probe: str = PROBE) -> None:
        self.rule, self.every, self.store, self.probe = rule, every, store, probe
        self.alerts: dict[str, Alert] = {}
        self.told: list[Transition] = []
        self._failures = 0

    def look(self, now: datetime, values: Mapping[Labels, float], *, succeeds: bool = True) -> None:
        """Let the probe look once."""
        self._failures = 0 if succeeds else self._failures + 1
        samples = [
            Sample("probe_success", float(succeeds), {"probe": self.probe}),
            Sample("probe_consecutive_failures", float(self._failures), {"probe": self.probe}),
        ]
        for labels, value in values.items():
            if not succeeds and not labels.name.startswith("probe_"):
                continue
            counter = labels.name.endswith(("_total", "_bucket", "_count", "_sum"))
            given = labels if labels.get("job") else labels.merge({"probe": self.probe})
            samples.append(Sample(labels.name, value, given.without(NAME).as_dict(), counter=counter))
        self.store.append(Batch(self.probe, tuple(samples), now, self.every, whole=succeeds, counters_from_zero=True))
        if self.rule.compiled.absence:  # nothing else asks for the agent's own numbers
            own = Sample("sentinel_blind", 0.0, {"probe": "sentinel"})
            self.store.append(Batch("sentinel", (own,), now, self.every, whole=False))

    def judge(self, now: datetime) -> Sequence[Observed]:
        """Evaluate the rule, and let its alerts live on."""
        if why := self.rule.rests(now):
            self.told += retire(list(self.alerts.values()), why, now)
            self.alerts.clear()
            return []
        known = {alert.labels: alert.since for alert in self.alerts.values()}
        observed = observe(self.rule, now, self.store.source(now), known)
        advanced = advance(self.rule.patience, self.rule.blank, self.alerts, observed, now)
        for alert in [*advanced.refreshed, *(transition.alert for transition in advanced.transitions)]:
            self.alerts[alert.fingerprint] = alert
            if alert.phase is Phase.INACTIVE:
                del self.alerts[alert.fingerprint]
        self.told += advanced.transitions
        return observed
