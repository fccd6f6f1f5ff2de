"""What a person sets at run time: it has an author, a reason and an end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sentinel.core.severity import Severity


@dataclass(frozen=True, slots=True)
class Silence:
    """Stops the telling of what it matches, never the judging.

    Args:
        id: unique.
        match: label (or rule, severity, owner, probe, file) to what it must be, in the words of a route's `match`.
        author: who set it.
        reason: why.
        starts_at: from when.
        ends_at: until when; ending it early moves this.
    """

    id: str
    match: Mapping[str, str | tuple[str, ...]]
    author: str
    reason: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody is on it: stops reminders and escalation for one alert, until it ends, rises, or `ends_at`."""

    fingerprint: str
    author: str
    reason: str
    at: datetime
    ends_at: datetime
    severity: Severity
