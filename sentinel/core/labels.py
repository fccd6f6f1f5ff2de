"""What a series is called: labels, matchers over them, and the fingerprint of an alert."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from sentinel.core.regex import full_match

NAME = "__name__"

#: Writes a text in double quotes, as PromQL does. Made once: an encoder is dear.
_quoted = json.JSONEncoder(ensure_ascii=False).encode


class Labels(tuple[tuple[str, str], ...]):
    """Label pairs, sorted by name, without empty values (in Prometheus's data model an empty label is a missing one).

    A tuple, so that hashing and comparing cost what they cost in C; never index it, ask it.
    """

    __slots__ = ()

    @classmethod
    def of(cls, labels: Mapping[str, str] | Iterable[tuple[str, str]] = (), /, **more: str) -> Labels:
        """Sort what is given and drop what is empty; `more` wins over `labels`."""
        return cls(sorted((name, value) for name, value in (dict(labels) | more).items() if value))

    def get(self, name: str, default: str = "") -> str:
        """Return the value of one label."""
        for key, value in self:
            if key == name:
                return value
        return default

    @property
    def name(self) -> str:
        """The metric's name, "" where there is none."""
        return self.get(NAME)

    @property
    def unnamed(self) -> Labels:
        """These labels without the metric's name; itself where there is none."""
        if self and self[0][0] == NAME:  # where it stands unless a label begins with a capital
            return Labels(self[1:])
        return self.without(NAME) if self.name else self

    def names(self) -> Iterator[str]:
        """Iterate over the labels' names."""
        return (name for name, _ in self)

    def without(self, *names: str) -> Labels:
        """Return the labels less these."""
        return Labels(pair for pair in self if pair[0] not in names)

    def only(self, *names: str) -> Labels:
        """Return these labels and no others."""
        return Labels(pair for pair in self if pair[0] in names)

    def merge(self, labels: Mapping[str, str] | Iterable[tuple[str, str]]) -> Labels:
        """Return these labels with others laid over them; an empty value removes one."""
        return Labels.of(self, **dict(labels))

    def as_dict(self) -> dict[str, str]:
        """Return a fresh dict."""
        return dict(self)

    def __str__(self) -> str:
        """Write as Prometheus does: `up{job="shop"}`."""
        inner = ", ".join([f"{name}={_quoted(value)}" for name, value in self if name != NAME])
        return f"{self.name}{{{inner}}}" if inner or not self.name else self.name


class MatchOp(StrEnum):
    """How a matcher compares; regular expressions are anchored at both ends and of RE2's syntax."""

    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


class Matcher(NamedTuple):
    """One condition on one label; a missing label is an empty one."""

    name: str
    op: MatchOp
    value: str

    def matches(self, value: str) -> bool:
        """Say whether a label with this value fulfils the condition."""
        match self.op:
            case MatchOp.EQUAL:
                return value == self.value
            case MatchOp.NOT_EQUAL:
                return value != self.value
            case MatchOp.REGEX:
                return full_match(self.value, value)
            case MatchOp.NOT_REGEX:
                return not full_match(self.value, value)

    def __str__(self) -> str:
        return f"{self.name}{self.op}{_quoted(self.value)}"


@lru_cache(maxsize=16_384)
def fingerprint(rule: str, labels: Labels) -> str:
    """Return the alert's identity: 16 hex digits of the SHA-256 over the canonical JSON of rule and sorted labels."""
    # Here, since a check of rule files has no alerts, and waits for neither.
    import hashlib

    from pydantic_core import to_json

    return hashlib.sha256(to_json([rule, dict(labels)])).hexdigest()[:16]
