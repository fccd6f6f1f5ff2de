"""Which rules read which series: worked out once when a series appears or the rules change. Needs numpy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import NAME, Labels, Matcher, MatchOp
from sentinel.rules.rule import Rule


class Readers:
    """Series id to the rules that read it.

    Many series are read by the same rules, so each id has only the number of its set of rules. Ids are sorted, since
    they grow for ever, while of those that come and go few are there at once.
    """

    def __init__(self, rules: Iterable[Rule], series: Iterable[tuple[int, Labels]] = ()) -> None:
        self._named: dict[str, list[tuple[str, tuple[Matcher, ...]]]] = defaultdict(list)
        self._other: list[tuple[str, tuple[Matcher, ...]]] = []
        for rule in rules:
            for read in rule.reads:
                self._enter(rule.name, read.matchers)
        self._sets: list[tuple[str, ...]] = []
        self._numbers: dict[tuple[str, ...], int] = {}
        self._ids, self._set_of = np.empty(0, np.int64), np.empty(0, np.int64)
        self.appeared(series)

    def __len__(self) -> int:
        return len(self._ids)

    def appeared(self, series: Iterable[tuple[int, Labels]]) -> None:
        """Take note of series that are new."""
        numbers = {id_: self._number(self._reading(labels)) for id_, labels in series}
        ids = np.concatenate([self._ids, np.fromiter(numbers.keys(), np.int64)])
        order = np.argsort(ids, kind="stable")
        self._ids = ids[order]
        self._set_of = np.concatenate([self._set_of, np.fromiter(numbers.values(), np.int64)])[order]

    def vanished(self, ids: Collection[int]) -> None:
        """Forget series that are in memory no more."""
        kept = ~np.isin(self._ids, np.fromiter(ids, np.int64))
        self._ids, self._set_of = self._ids[kept], self._set_of[kept]

    def of(self, ids: NDArray[np.int64]) -> set[str]:
        """Return the names of the rules that read any of these series."""
        if not len(self):
            return set()
        at = np.minimum(np.searchsorted(self._ids, ids), len(self) - 1)
        numbers = set(self._set_of[at[self._ids[at] == ids]].tolist())
        return {rule for number in numbers for rule in self._sets[number]}

    def _enter(self, rule: str, matchers: tuple[Matcher, ...]) -> None:
        name = next((matcher.value for matcher in matchers if matcher.name == NAME and matcher.op is MatchOp.EQUAL), "")
        if name:
            rest = tuple(matcher for matcher in matchers if matcher.name != NAME or matcher.op is not MatchOp.EQUAL)
            self._named[name].append((rule, rest))
        else:
            self._other.append((rule, matchers))

    def _reading(self, labels: Labels) -> tuple[str, ...]:
        candidates = [*self._named.get(labels.name, ()), *self._other]
        return tuple(
            dict.fromkeys(rule for rule, rest in candidates if all(m.matches(labels.get(m.name)) for m in rest))
        )

    def _number(self, rules: tuple[str, ...]) -> int:
        if (number := self._numbers.get(rules)) is None:
            number = self._numbers[rules] = len(self._sets)
            self._sets.append(rules)
        return number
