"""Few: names, each with a few others, in tuples: a storm has ten thousand of each, and sets take four times as much."""

from __future__ import annotations


class Few(dict[str, tuple[str, ...]]):
    """Names, each with others; a name that has none left is not there."""

    def add(self, name: str, other: str) -> None:
        """Give a name one more."""
        self[name] = (*self.get(name, ()), other)

    def drop(self, name: str, other: str) -> None:
        """Take one from a name, if it has it."""
        if left := tuple([one for one in self.get(name, ()) if one != other]):
            self[name] = left
        else:
            self.pop(name, None)
