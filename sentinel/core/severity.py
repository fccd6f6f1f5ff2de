"""How bad it is: info < warning < error < critical."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Ordered, so that `max()` of several is what a person hears of; written as its lower-case name everywhere."""

    INFO = 1
    WARNING = 2
    ERROR = 3
    CRITICAL = 4

    @classmethod
    def of(cls, word: str) -> Severity:
        """Return the severity of this name.

        Raises:
            ValueError: it is none; the text lists them.
        """
        try:
            return cls[word.upper()]
        except KeyError:
            from difflib import get_close_matches  # which takes a moment to load

            near = get_close_matches(word.lower(), [str(level) for level in cls], n=1)
            fix = f'did you mean "{near[0]}"?' if near else "one of info, warning, error, critical"
            raise ValueError(f'"{word}" is not a severity; {fix}') from None

    def __str__(self) -> str:
        return self._name_.lower()  # `name` is a descriptor of Enum's own, which takes four times as long

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)
