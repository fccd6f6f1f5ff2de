"""Behind: which series go into an element, found without a look at each: a rule may have ten thousand of both."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sentinel.core.labels import Labels
from sentinel.rules.form import Compiled


class Behind:
    """The series that a rule reads, found by the element that they go into.

    What an expression does with labels nobody knows: there, any series may that contradicts the element in none.

    Args:
        series: their labels.
        compiled: the rule; its `by` and `loose` say what it does with labels.
    """

    def __init__(self, series: Sequence[Labels], compiled: Compiled) -> None:
        self.series = series
        self._loose, self._by = compiled.loose, compiled.by
        self._places: dict[Labels, list[int]] = defaultdict(list)
        self._valued: dict[str, Mapping[str, list[int]]] = {}
        if not self._loose:
            for place, labels in enumerate(series):
                self._places[labels.unnamed if self._by is None else labels.only(*self._by)].append(place)

    def of(self, element: Labels) -> Sequence[int]:
        """Return the places of the series that go into an element, in their order."""
        if not self._loose:
            return self._places.get(element, ())
        if not element:
            return range(len(self.series))
        name, value = min(element, key=lambda pair: sum(map(len, self._with(*pair))))
        nearest = sorted(place for places in self._with(name, value) for place in places)
        return [place for place in nearest if all(self.series[place].get(key) in ("", own) for key, own in element)]

    def _with(self, name: str, value: str) -> tuple[Sequence[int], Sequence[int]]:
        """Return the places of the series that have this value in a label, and of those that have none."""
        if name not in self._valued:
            valued = self._valued[name] = defaultdict(list)
            for place, labels in enumerate(self.series):
                valued[labels.get(name)].append(place)
        return self._valued[name].get(value, ()), self._valued[name].get("", ())
