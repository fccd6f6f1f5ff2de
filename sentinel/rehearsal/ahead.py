"""Ahead: what the queries of rules return at each step of a test, worked out for all steps at once.

That is the same as one evaluation after the other where a query reads nothing that rules write, and nothing that lies
ahead of its instant. A query that finds none of its metrics returns what it returns over nothing at all, which is
worked out once for all tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.core.windows import Source
from sentinel.promql.block import Block
from sentinel.promql.evaluate import evaluate
from sentinel.rehearsal.rulefiles import asks, foresees, harmless, metrics, outputs
from sentinel.rules.grouped import Alerting, Elements, Recording, RuleGroup

#: What a query returns, by step; a step at which it returns nothing is left out.
Returned = Mapping[int, Elements]


@dataclass(frozen=True, slots=True)
class Steps:
    """The instants of a test: from `start_ms` on, `count` of them, `apart_ms` apart."""

    start_ms: int
    apart_ms: int
    count: int


@dataclass(frozen=True)
class Program:
    """Groups, and what is known of their rules before any test begins.

    Args:
        groups: in the order in which they are evaluated.
    """

    groups: Sequence[RuleGroup]
    _idle: dict[tuple[str, Steps], Returned | None] = field(default_factory=dict)

    @cached_property
    def metrics(self) -> Mapping[str, frozenset[str]]:
        """What each rule reads."""
        return {rule.name: metrics(rule.query) for rule in self.rules}

    @cached_property
    def rules(self) -> Sequence[Alerting | Recording]:
        """All rules, in order."""
        return [rule for group in self.groups for rule in group.rules]

    @cached_property
    def foreseeing(self) -> bool:
        """Whether some rule may see what comes after its instant: then samples are brought one step at a time."""
        return any(foresees(rule.query) or asks(rule) for rule in self.rules)

    @cached_property
    def apart(self) -> frozenset[str]:
        """The rules that read nothing that rules write."""
        wrote = frozenset().union(*map(outputs, self.rules))
        return frozenset(name for name, read in self.metrics.items() if "" not in read and wrote.isdisjoint(read))

    def needed(self, alerts: frozenset[str], queried: frozenset[str], series: Iterable[Labels]) -> frozenset[str]:
        """Return the rules that may change the verdict of a test: the others can neither be seen nor fail.

        Args:
            alerts: names that the test asks for.
            queried: metrics that its queries read.
            series: that it brings.
        """
        if self.foreseeing or "" in queried:
            return frozenset(rule.name for rule in self.rules)
        named = frozenset(name for labels in series for name in labels.names())
        playing = {
            rule.name: rule
            for rule in self.rules
            if (isinstance(rule, Alerting) and rule.alert in alerts)
            or rule.name not in self.harmless
            or not named.isdisjoint(rule.own_labels)
        }
        read = queried.union(*(self.metrics[name] for name in playing))
        while fresh := [rule for rule in self.rules if rule.name not in playing and _meet(outputs(rule), read)]:
            playing |= {rule.name: rule for rule in fresh}
            read = read.union(*(self.metrics[rule.name] for rule in fresh))
        return frozenset(playing)

    @cached_property
    def harmless(self) -> frozenset[str]:
        """The rules that cannot fail, whatever the samples are."""
        free = [rule for group in self.groups if not group.limit for rule in group.rules]
        return frozenset(rule.name for rule in free if harmless(rule.query))

    def ahead(
        self, source: Source, names: frozenset[str], steps: Steps, playing: frozenset[str]
    ) -> dict[str, Returned]:
        """Return what rules return, those of which that can be known.

        Args:
            source: of the samples of the test.
            names: of the metrics in it.
            steps: the instants.
            playing: the rules that matter.
        """
        found: dict[str, Returned] = {}
        for rule in self.rules:
            if rule.name not in self.apart or rule.name not in playing:
                continue
            returned = (
                self.idle(rule, steps) if names.isdisjoint(self.metrics[rule.name]) else _over(rule, source, steps)
            )
            if returned is not None:
                found[rule.name] = returned
        return found

    def idle(self, rule: Alerting | Recording, steps: Steps) -> Returned | None:
        """Return what a rule returns where there are no samples; None where that is an error."""
        key = (rule.name, steps)
        if key not in self._idle:
            self._idle[key] = _over(rule, Block({}), steps)
        return self._idle[key]


def _meet(outputs: frozenset[str], read: frozenset[str]) -> bool:
    return "" in read or not outputs.isdisjoint(read)


def _over(rule: Alerting | Recording, source: Source, steps: Steps) -> Returned | None:
    """Return what a rule returns by step; None where that fails at some step, or cannot be known so."""
    try:
        until_ms = steps.start_ms + (steps.count - 1) * steps.apart_ms
        answer = evaluate(rule.query, source, steps.start_ms, until_ms, steps.apart_ms)
    except QueryInvalid:
        return None
    found: dict[int, list[tuple[Labels, float]]] = {}
    for row, step in np.argwhere(answer.present).tolist():
        found.setdefault(step, []).append((answer.labels[row], float(answer.values[row, step])))
    return found
