"""Index: of many matches, those that an alert fulfils, found by the values that they name."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from sentinel.core.alert import Alert
from sentinel.routing.match import Match, Stem, attribute

T = TypeVar("T")


class Index(Generic[T]):
    """Things that each speak of alerts by a match.

    Each is filed under what its match wants of one key: that of which the fewest others want the same. An alert is then
    held against what is filed under its own values, and against the matches that say nothing of how a value begins.

    Args:
        entries: match and thing, in the order in which they are to be found.
    """

    def __init__(self, entries: Iterable[tuple[Match, T]] = ()) -> None:
        self._entries = tuple(entries)
        self._filed: dict[str, dict[int | None, dict[str, list[int]]]] = {}
        self._always: list[int] = []
        stems = [list(match.stems) for match, _ in self._entries]
        wanted = Counter((key, stem) for each in stems for key, several in each for stem in several)
        for number, each in enumerate(stems):
            if each:
                self._file(number, *min(each, key=lambda pair: sum(wanted[pair[0], stem] for stem in pair[1])))
            else:
                self._always.append(number)

    def _file(self, number: int, key: str, stems: Iterable[Stem]) -> None:
        by_length = self._filed.setdefault(key, defaultdict(lambda: defaultdict(list)))
        for length, text in stems:
            by_length[length][text].append(number)

    def matching(self, alert: Alert) -> Iterator[T]:
        """Iterate over those whose match the alert fulfils as it stands, in their order."""
        numbers = set(self._always)
        for key, by_length in self._filed.items():
            value = attribute(alert, key)
            for length, by_text in by_length.items():
                numbers.update(by_text.get(value[:length], ()))
        for number in sorted(numbers):
            match, thing = self._entries[number]
            if match.matches(alert):
                yield thing
