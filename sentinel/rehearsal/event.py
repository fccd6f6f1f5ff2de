"""Events: what happens on the stage from outside, each at its instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sentinel.core.heartbeat import Ping
from sentinel.core.labels import Labels
from sentinel.core.operator import Silence
from sentinel.core.sample import Batch
from sentinel.core.severity import Severity


@dataclass(frozen=True, slots=True)
class Said:
    """From now on an alert is the case, or is not, whatever its rule would see.

    Args:
        rule: its name.
        labels: of the alert.
        holds: whether it is the case.
        severity: at which; None: the highest that the rule knows.
    """

    rule: str
    labels: Labels
    holds: bool
    severity: Severity | None = None


@dataclass(frozen=True, slots=True)
class TakenInHand:
    """Somebody acknowledges the alerts of some rules that have these labels."""

    rules: tuple[str, ...]
    labels: Labels
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens."""

    at: datetime
    what: Batch | Ping | Silence | TakenInHand | Said
