"""An alert: what is seen of it, where it stands for each severity, and how it changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from sentinel.core.labels import Labels, fingerprint
from sentinel.core.severity import Severity


class Phase(StrEnum):
    """Where one severity of an alert stands. An alert that is inactive for all of them has no row."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"
    RECOVERING = "recovering"

    @property
    def active(self) -> bool:
        """Whether people count it as going on: firing, or firing still while it recovers."""
        return self is Phase.FIRING or self is Phase.RECOVERING


class Condition(StrEnum):
    """What one evaluation says about one severity."""

    HOLDS = "holds"  # beyond the threshold
    BETWEEN = "between"  # back from the threshold, not yet past `recover`
    OVER = "over"  # not the case
    UNKNOWN = "unknown"  # nobody can say: the state is held
    SCARCE = "not enough data"  # there are data, too few to judge by: held for `Patience.scarce_for`, then over


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one severity waits: before it fires, before it ends, and for enough data to judge by."""

    hold_for: timedelta = timedelta()
    keep_firing_for: timedelta = timedelta()
    scarce_for: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one severity of an alert stands.

    Time that counts for `for` and `keep_firing_for` is `now - since - paused`, and stands still while `unknown_since`
    is set; so a row changes only when something happens, and survives a restart as it is.

    Args:
        phase: of this severity.
        since: when that phase began.
        paused: how much of the time since then counts for nothing (unknown, or the agent did not look).
        unknown_since: when the present stretch of not knowing began.
        scarce: whether that stretch is one of too few data, not of none.
        between: whether it recovers because the value is back from the threshold and not yet past `recover`: for so
            long, no time counts for `keep_firing_for`.
    """

    phase: Phase
    since: datetime
    paused: timedelta = timedelta()
    unknown_since: datetime | None = None
    scarce: bool = False
    between: bool = False

    def lasted(self, now: datetime) -> timedelta:
        """Return how long the phase has lasted, counting only time in which the agent knew."""
        return (self.unknown_since or now) - self.since - self.paused


@dataclass(frozen=True, slots=True)
class Observed:
    """What one evaluation says about one element (label set) of a rule.

    Args:
        labels: of the element; with the rule's name they are the alert's identity.
        value: of the form, in base units; None where there is none.
        conditions: one per severity that the rule knows.
        reason: why it is so, for people: "0.062 = 31 / 500 > 0.05", "gone", "probe shop fails: connection refused".
        texts: rendered for this element: `summary`, `description`, `runbook`, `dashboard`, `value`.
        thresholds: what the value is held against, per severity, as people wrote it: "above 5%".
    """

    labels: Labels
    value: float | None
    conditions: Mapping[Severity, Condition]
    reason: str = ""
    texts: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[Severity, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a rule was written: shown with each of its alerts, also after the rule is gone."""

    file: str = ""
    line: int = 0
    commit: str = ""
    author: str = ""

    def __str__(self) -> str:
        at = f"{self.file}:{self.line}" if self.file else ""
        return f"{at} ({self.commit[:10]})" if self.commit else at


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, whole: enough to tell people of it after its rule, or the agent that saw it, is gone.

    Args:
        rule: name of its rule.
        labels: of its element; identity, with `rule`.
        standings: where each severity stands; severities that are inactive are left out.
        value: newest one, None where unknown.
        threshold: of the highest severity that fires, as people wrote it.
        reason: why it stands as it does.
        since: when it began to be the case (its first pending or firing).
        fired_at: when it first fired; None while it is pending.
        changed_at: time of its last transition.
        texts: `summary`, `description`, `runbook`, `dashboard`, `value`, rendered.
        rule_labels: the rule's own labels; not part of the identity.
        owner: of the rule.
        origin: where the rule stands.
        peak: the highest severity that it had since it fired.
        no_data_at: when it was said that there are no data; None while there are.
        covers: what is not told since this explains it, by rule and labels, in the order in which it came.

    Attributes:
        fingerprint: its identity, as 16 hex digits. It and the severity are asked of each alert many times a round, and
            so worked out once.
        severity: the highest one that fires or recovers; None while none does.
    """

    rule: str
    labels: Labels
    standings: Mapping[Severity, Standing]
    value: float | None = None
    threshold: str = ""
    reason: str = ""
    since: datetime | None = None
    fired_at: datetime | None = None
    changed_at: datetime | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    rule_labels: Mapping[str, str] = field(default_factory=dict)
    owner: str = ""
    origin: Origin = Origin()
    peak: Severity | None = None
    no_data_at: datetime | None = None
    covers: tuple[str, ...] = ()
    fingerprint: str = field(init=False, repr=False, compare=False)
    severity: Severity | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fingerprint", fingerprint(self.rule, self.labels))
        object.__setattr__(self, "severity", highest(self.standings))

    @property
    def from_rule_file(self) -> bool:
        """Whether it is one of Prometheus's rule files: such a rule is named by its alerts, where it can be."""
        name = self.labels.get("alertname")
        return bool(name) and self.rule.startswith(name)

    @property
    def named(self) -> str:
        """What people call it: its rule, and its labels if it has any."""
        return f"{self.rule}{self.labels}" if self.labels else self.rule

    @property
    def phase(self) -> Phase:
        """The alert's phase: that of its highest active severity, else pending if any is, else inactive."""
        return phase_of(self.standings, self.severity)

    @property
    def unknown_since(self) -> datetime | None:
        """Since when nobody knows how it stands; None while it is known."""
        return unknown_since(self.standings)


def highest(standings: Mapping[Severity, Standing]) -> Severity | None:
    """Return the highest severity that fires or recovers; None while none does."""
    found = None
    for level, standing in standings.items():  # a generator would cost each new alert three times as much
        if standing.phase.active and (found is None or level > found):
            found = level
    return found


def phase_of(standings: Mapping[Severity, Standing], severity: Severity | None) -> Phase:
    """Return the phase of an alert with these standings, of which this one is the highest that is active."""
    if severity is not None:
        return standings[severity].phase
    return Phase.PENDING if standings else Phase.INACTIVE


def unknown_since(standings: Mapping[Severity, Standing]) -> datetime | None:
    """Return since when nobody knows how it stands; None while it is known."""
    return min((one.unknown_since for one in standings.values() if one.unknown_since), default=None)


class Change(StrEnum):
    """What kind of change a transition is."""

    PENDING = "pending"  # the condition holds, `for` is not over
    WITHDRAWN = "withdrawn"  # it was pending and is not the case any more
    FIRED = "fired"
    ROSE = "rose"  # a higher severity fires
    FELL = "fell"  # the highest one is over, a lower one goes on
    RECOVERING = "recovering"  # below the threshold, not yet over
    RELAPSED = "relapsed"  # it recovered, and holds again
    RESOLVED = "resolved"
    NO_DATA = "no data"  # unknown for 15 minutes
    DATA_AGAIN = "data again"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one alert: a row of the audit table, and what routing is told.

    Args:
        change: what kind.
        was: the alert's phase before.
        alert: the alert after it (after a resolve: texts and labels kept; its phase is inactive, or pending where a
            lower severity still waits).
        at: when it was decided.
        severity: the alert's severity after the change; after a resolve the one that it had.
        reason: why.
    """

    change: Change
    was: Phase
    alert: Alert
    at: datetime
    severity: Severity | None
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.was} -> {self.alert.phase}"
