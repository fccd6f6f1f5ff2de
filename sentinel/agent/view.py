"""The view: what the desk publishes after each slice; immutable, so that anybody may read it without asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property

from sentinel.config.config import Config
from sentinel.core.alert import Alert
from sentinel.core.heartbeat import Heartbeat
from sentinel.core.notification import Notification, Told
from sentinel.core.operator import Acknowledgement
from sentinel.core.problem import Problem
from sentinel.routing.silences import Silences
from sentinel.routing.telling import Held


@dataclass(frozen=True, slots=True)
class Reload:
    """How the last attempt to load the tree ended.

    Args:
        at: when.
        ok: whether what stands in the tree is what runs.
        why: if not, in one sentence.
        problems: all that was found, warnings included.
        text: the problems as a person is shown them, with carets.
        revision: id of what runs.
    """

    at: datetime
    ok: bool
    why: str = ""
    problems: tuple[Problem, ...] = ()
    text: str = ""
    revision: str = ""


@dataclass(frozen=True)
class View:
    """How everything stands.

    Args:
        at: when this was so.
        config: what runs.
        reload: how the last attempt to load the tree ended.
        standing: the alerts that go on, in no order.
        held: fingerprint to why that one is not told.
        told: fingerprint to who heard.
        reasons: fingerprint to why its telling was decided so.
        owed: notifications that are not settled.
        silences: that hold, or will, by id.
        acknowledged: fingerprint to who has that one in hand.
        heartbeats: what is remembered of jobs.
        evaluated: rules that were evaluated, or failed, since the agent began.
        failures: rule to why it could not be evaluated.
        unwritten_since: since when nothing can be written; None while it can.
        unwritten_why: what the database says about it.
    """

    at: datetime
    config: Config
    reload: Reload
    standing: tuple[Alert, ...] = ()
    held: Mapping[str, Held] = field(default_factory=dict)
    told: Mapping[str, tuple[Told, ...]] = field(default_factory=dict)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    owed: tuple[Notification, ...] = ()
    silences: Silences = field(default_factory=Silences)
    acknowledged: Mapping[str, Acknowledgement] = field(default_factory=dict)
    heartbeats: Mapping[str, Heartbeat] = field(default_factory=dict)
    evaluated: frozenset[str] = frozenset()
    failures: Mapping[str, str] = field(default_factory=dict)
    unwritten_since: datetime | None = None
    unwritten_why: str = ""

    @cached_property
    def alerts(self) -> tuple[Alert, ...]:
        """Those that go on, the gravest first; sorted by whoever asks: the desk publishes more than anybody reads."""
        return tuple(sorted(self.standing, key=_gravest_first))


def _gravest_first(alert: Alert) -> tuple[int, int, datetime, str]:
    severity = alert.severity or 0
    pending = max(alert.standings, default=0)
    return -severity, -pending, alert.since or datetime.max.replace(tzinfo=UTC), alert.fingerprint
