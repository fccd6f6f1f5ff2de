"""Which series fulfil which matchers: postings by label, and the answers given so far. Needs numpy."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sentinel.core.labels import Labels, Matcher, MatchOp

#: Series in all answers that are kept, and answers; what people type into a query page must not fill the memory.
_KEPT, _ANSWERS = 500_000, 4096

#: To look at one series costs as much as to go through so many postings.
_FEW = 16


@dataclass(slots=True)
class Selection:
    """The series that fulfil some matchers.

    Args:
        labels: of each; the same list as long as the same series match, since the evaluator's caches go by it.
        places: of each; what a place is (a slot of the head, an id) is the owner's affair.
    """

    labels: list[Labels]
    places: NDArray[np.int64]
    seen: int


class Index:
    """Series by their labels. One thread adds and removes, while no other asks; any may ask beside another."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept = 0
        self._labels: dict[int, Labels] = {}
        self._order: dict[int, int] = {}
        self._came = 0
        self._postings: dict[tuple[str, str], list[int]] = {}
        self._pairs: dict[tuple[str, str], tuple[str, str]] = {}
        self._added: list[int] = []
        self._answers: dict[tuple[Matcher, ...], Selection] = {}

    def __len__(self) -> int:
        return len(self._labels)

    def labels_of(self, place: int) -> Labels:
        """Return the labels of one series."""
        return self._labels[place]

    def add(self, place: int, labels: Labels) -> Labels:
        """Take in a series; return its labels, in which each pair is the same object as in those of other series."""
        labels = Labels(self._pairs.setdefault(pair, pair) for pair in labels)
        self._labels[place] = labels
        self._order[place] = self._came = self._came + 1
        self._added.append(place)
        for pair in labels:
            if (postings := self._postings.get(pair)) is None:
                self._postings[pair] = [place]
            else:
                postings.append(place)
        return labels

    def remove(self, places: Iterable[int]) -> None:
        """Forget some series."""
        gone = set(places)
        pairs = {pair for place in gone for pair in self._labels.pop(place)}
        for pair in pairs:
            kept = [place for place in self._postings[pair] if place not in gone]
            if kept:
                self._postings[pair] = kept
            else:
                del self._postings[pair], self._pairs[pair]
        for place in gone:
            del self._order[place]
        self._added = list(self._labels)
        for answer in self._answers.values():
            answer.seen = -1

    def relabel(self, labels: Mapping[int, Labels]) -> None:
        """Let some series have other labels; they keep their places in the order."""
        came = {place: self._order[place] for place in labels}
        self.remove(labels)
        for place, one in labels.items():
            self.add(place, one)
        self._order |= came

    def select(self, matchers: Sequence[Matcher]) -> Selection:
        """Return the series that fulfil every matcher, in the order in which they came."""
        key = tuple(matchers)
        with self._lock:
            answer = self._answers.pop(key, None)
            self._kept -= len(answer.labels) if answer else 0
            if answer is None or answer.seen != len(self._added):
                answer = self._renewed(key, answer)
            self._answers[key] = answer  # the one used last comes last
            self._kept += len(answer.labels)
            while self._kept > _KEPT or len(self._answers) > _ANSWERS:
                self._kept -= len(self._answers.pop(next(iter(self._answers))).labels)
            return answer

    def _renewed(self, key: tuple[Matcher, ...], was: Selection | None) -> Selection:
        if was is None or was.seen < 0:
            places = self._find(key)
            labels = [self._labels[place] for place in places]
            if was is not None and was.labels == labels:
                labels = was.labels
            return Selection(labels, np.array(places, np.int64), len(self._added))
        fresh = [place for place in self._added[was.seen :] if fulfils(self._labels[place], key)]
        was.seen = len(self._added)
        if not fresh:
            return was
        labels = [*was.labels, *(self._labels[place] for place in fresh)]
        return Selection(labels, np.append(was.places, fresh), was.seen)

    def _find(self, matchers: tuple[Matcher, ...]) -> list[int]:
        """Intersect the postings of what must be equal, and look at the rest one by one."""
        equal = sorted((m for m in matchers if m.op is MatchOp.EQUAL and m.value), key=lambda m: len(self._having(m)))
        rest = [m for m in matchers if m.op is not MatchOp.EQUAL or not m.value]
        found: Collection[int] = self._having(equal[0]) if equal else self._labels
        for matcher in equal[1:]:
            having = self._having(matcher)
            if len(found) * _FEW < len(having):
                rest.append(matcher)
            else:
                found = set(found).intersection(having)
        for matcher in rest:
            verdicts: dict[str, bool] = {}
            kept = []
            for place in found:
                value = self._labels[place].get(matcher.name)
                verdict = verdicts.get(value)
                if verdict is None:
                    verdict = verdicts[value] = matcher.matches(value)
                if verdict:
                    kept.append(place)
            found = kept
        return sorted(found, key=self._order.__getitem__)

    def _having(self, matcher: Matcher) -> list[int]:
        return self._postings.get((matcher.name, matcher.value), [])


def fulfils(labels: Labels, matchers: Sequence[Matcher]) -> bool:
    """Say whether labels fulfil every matcher."""
    return all(matcher.matches(labels.get(matcher.name)) for matcher in matchers)
