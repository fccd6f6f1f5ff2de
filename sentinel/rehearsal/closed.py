"""Closed: the windows of Prometheus 2, in which a sample is that is exactly as old as the window is long."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from numpy import int64
from numpy.typing import NDArray

from sentinel.core.labels import Matcher
from sentinel.core.sample import Health
from sentinel.core.windows import DEFAULT_LOOKBACK_MS, Instants, Source, Windows
from sentinel.rehearsal.rulefiles import closed_subqueries
from sentinel.rules.grouped import RuleGroup


@dataclass(frozen=True, slots=True)
class Closed:
    """A source whose windows reach a millisecond further back: samples lie at whole milliseconds."""

    source: Source

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows of all series that fulfil every matcher."""
        return self.source.windows(matchers, ends_ms, (DEFAULT_LOOKBACK_MS if range_ms is None else range_ms) + 1)

    def health(self, ids: NDArray[int64], at_ms: int) -> Health:
        """Return how the probes behind these series are."""
        return self.source.health(ids, at_ms)


def as_in_prometheus_2(group: RuleGroup) -> RuleGroup:
    """Return a group as Prometheus 2 would evaluate it."""
    return replace(group, rules=tuple(replace(rule, query=closed_subqueries(rule.query)) for rule in group.rules))
