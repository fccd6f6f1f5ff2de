"""A probe: what YAML calls by a name, looks at with a kind, and repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from sentinel.core.problem import Position
from sentinel.core.schedule import Cron, Every
from sentinel.probes.base import ProbeKind

#: How often a probe looks that does not say.
DEFAULT_EVERY = timedelta(seconds=30)
#: The longest that a probe waits that does not say.
DEFAULT_TIMEOUT = timedelta(seconds=10)


def default_timeout(interval: timedelta) -> timedelta:
    """Return the timeout of a probe that gives none: 10 s or two thirds of its interval, the shorter."""
    return min(DEFAULT_TIMEOUT, interval * 2 / 3)


@dataclass(frozen=True, slots=True)
class Probe:
    """A probe as it is defined.

    Args:
        name: unique in the tree.
        kind: what it looks at and how.
        kind_name: the kind's word in YAML.
        every: when it looks.
        timeout: after which a look is ended.
        labels: that its series have beside their own.
        position: where it is written.
        every_when_failing: how often it looks while it fails, if not as ever.
    """

    name: str
    kind: ProbeKind
    kind_name: str
    every: Every | Cron
    timeout: timedelta
    labels: Mapping[str, str] = field(default_factory=dict)
    position: Position = field(default_factory=lambda: Position("<here>"))
    every_when_failing: timedelta | None = None

    @property
    def interval(self) -> timedelta:
        """How long it is from one look to the next, at most: a newest value counts for two and a half of it."""
        return self.every.interval if isinstance(self.every, Every) else self.every.longest_gap
