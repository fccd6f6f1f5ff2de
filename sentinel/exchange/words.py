"""Words: those that a regular expression stands for, where they can be listed: `(web|db)-prod`, `node.*`, `[ab]1?`."""

from __future__ import annotations

from itertools import product

#: So many are a list that a person still reads.
MOST = 50
#: Stands for anything, and for anything but nothing.
ANYTHING, SOMETHING = "\1", "\2"
_SPECIAL = frozenset(".^$*+?{}[]|()\\")


class NoList(ValueError):
    """An expression whose words cannot be listed."""


def words(pattern: str) -> list[str]:
    """Return the words that fit a whole expression; `ANYTHING` and `SOMETHING` may stand in them.

    Raises:
        NoList: there are too many, or it says more than a list can.
    """
    reading = _Reading(pattern.removeprefix("^").removesuffix("$"))
    found = reading.either()
    if reading.rest:
        raise NoList
    return list(dict.fromkeys(found))


class _Reading:
    """Reads an expression from left to right."""

    def __init__(self, rest: str) -> None:
        self.rest = rest

    def either(self) -> list[str]:
        """Read alternatives, up to a closing bracket or the end."""
        found = self._sequence()
        while self.rest.startswith("|"):
            self.rest = self.rest[1:]
            found += self._sequence()
        return found

    def _sequence(self) -> list[str]:
        found = [""]
        while self.rest and self.rest[0] not in "|)":
            found = [before + after for before, after in product(found, self._part())]
            if len(found) > MOST:
                raise NoList
        return found

    def _part(self) -> list[str]:
        first, self.rest = self.rest[0], self.rest[1:]
        if first == ".":
            if self.rest[:1] not in ("*", "+"):
                raise NoList
            mark, self.rest = self.rest[0], self.rest[1:]
            return [ANYTHING if mark == "*" else SOMETHING]
        found = self._atom(first)
        if self.rest.startswith("?"):
            self.rest = self.rest[1:]
            return ["", *found]
        if self.rest[:1] in ("*", "+", "{"):
            raise NoList
        return found

    def _atom(self, first: str) -> list[str]:
        if first == "(":
            self.rest = self.rest.removeprefix("?:")
            found = self.either()
            if not self.rest.startswith(")"):
                raise NoList
            self.rest = self.rest[1:]
            return found
        if first == "[":
            letters, bracket, self.rest = self.rest.partition("]")
            if not bracket or not letters.isalnum():
                raise NoList
            return list(letters)
        if first == "\\":
            letter, self.rest = self.rest[:1], self.rest[1:]
            if not letter or letter.isalnum():
                raise NoList
            return [letter]
        if first in _SPECIAL:
            raise NoList
        return [first]
