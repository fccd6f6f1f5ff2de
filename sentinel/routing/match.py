"""Match: which alerts a route, mute, silence or inhibition speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from sentinel.core.alert import Alert
from sentinel.core.severity import Severity

#: How a text begins: with so many characters (None: all of it) that are these.
Stem = tuple[int | None, str]


@dataclass(frozen=True, slots=True)
class Match:
    """What an alert must be. All keys must hold; of several values of one key any does; no key at all takes everything.

    Keys are labels (the alert's own and its rule's), or `rule`, `severity`, `owner` (the rule's, else the alert's label
    of this name), `probe`, `file`. A value is a text in which `*` stands for anything, `warning+` (that severity and
    above), or either after `!`, its opposite. A label that is missing is empty, so `env: "!"` asks that there is one.

    Args:
        wanted: key and the values of which any will do.
    """

    wanted: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, wanted: Mapping[str, str | list[str] | tuple[str, ...]]) -> Match:
        """Make one from what stands in YAML or in a silence.

        Raises:
            ValueError: `severity` has a value that is none; the text lists those that are.
        """
        made = cls(tuple((key, (value,) if isinstance(value, str) else tuple(value)) for key, value in wanted.items()))
        for value in dict(made.wanted).get("severity", ()):
            word = value.removeprefix("!").removesuffix("+")
            if "*" not in word and word:
                Severity.of(word)
        return made

    @property
    def everything(self) -> bool:
        """Whether it takes each alert there is."""
        return not self.wanted

    @property
    def stems(self) -> Iterator[tuple[str, tuple[Stem, ...]]]:
        """The keys whose value has to begin in one of a few ways, each with these."""
        for key, values in self.wanted:
            if key == "severity":
                levels = [level for level in (None, *Severity) if any(_fits_severity(one, level) for one in values)]
                yield key, tuple((None, _word(level)) for level in levels)
            elif not any(value.startswith(("!", "*")) for value in values):
                yield key, tuple(map(_stem, values))

    def matches(self, alert: Alert) -> bool:
        """Say whether an alert, as it stands, is meant."""
        for key, values in self.wanted:
            if key == "severity":
                level = severity_of(alert)
                if not any(_fits_severity(value, level) for value in values):
                    return False
            else:
                text = attribute(alert, key)
                if not any(fits(value, text) for value in values):
                    return False
        return True

    def misses(self, alert: Alert) -> str:
        """Return the first condition that does not hold, in words; "" where all do."""
        for key, values in self.wanted:
            if not Match(((key, values),)).matches(alert):
                return f'{key} is "{attribute(alert, key)}", wanted {" or ".join(values)}'
        return ""

    def __str__(self) -> str:
        return ", ".join(f"{key}: {' or '.join(values)}" for key, values in self.wanted) or "everything"


EVERYTHING = Match()


def attribute(alert: Alert, key: str) -> str:
    """Return what an alert has under a key of `match`, `group_by` or `equal`; "" where it has nothing."""
    match key:
        case "rule":
            return alert.rule
        case "severity":
            return _word(severity_of(alert))
        case "owner":
            return alert.owner or alert.labels.get("owner")
        case "probe":
            return alert.labels.get("probe") or alert.labels.get("job")
        case "file":
            return alert.origin.file
    return alert.labels.get(key) or alert.rule_labels.get(key, "")


def severity_of(alert: Alert) -> Severity | None:
    """Return the severity by which an alert is routed: that which fires, else that which pends, else what it had."""
    return alert.severity or max(alert.standings, default=None) or alert.peak


def fits(pattern: str, text: str) -> bool:
    """Say whether a text is as a pattern wants it: `*` stands for anything, `!` before it for its opposite."""
    if pattern.startswith("!"):
        return not fits(pattern[1:], text)
    if "*" in pattern:
        return _glob(pattern).fullmatch(text) is not None
    return pattern == text


def _fits_severity(pattern: str, level: Severity | None) -> bool:
    if pattern.startswith("!"):
        return not _fits_severity(pattern[1:], level)
    if pattern.endswith("+"):
        return level is not None and level >= Severity.of(pattern[:-1])
    return fits(pattern.lower(), _word(level))


def _stem(pattern: str) -> Stem:
    length = pattern.index("*") if "*" in pattern else None
    return length, pattern[:length]


def _word(level: Severity | None) -> str:
    return str(level) if level is not None else ""


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    # Only literal text and `.*`; runs of `*` are one, so that nothing multiplies.
    return re.compile(".*".join(map(re.escape, re.sub(r"\*+", "*", pattern).split("*"))), re.DOTALL)
