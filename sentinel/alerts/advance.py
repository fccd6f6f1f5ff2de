"""Advance: the alerts of one rule, after one more evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sentinel.alerts.step import inactive, step
from sentinel.core.alert import (
    Alert,
    Change,
    Condition,
    Observed,
    Patience,
    Phase,
    Standing,
    Transition,
    highest,
    phase_of,
    unknown_since,
)
from sentinel.core.labels import fingerprint
from sentinel.core.severity import Severity

#: How long nobody must know how an alert stands before those who were told of it hear that.
NO_DATA_AFTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Advanced:
    """What one evaluation changed.

    Args:
        transitions: changes that are written to the audit table and may be told; at most one per alert.
        refreshed: alerts that changed without one: a new value, a timer, a severity that is pending.
    """

    transitions: tuple[Transition, ...] = ()
    refreshed: tuple[Alert, ...] = ()


def advance(
    patience: Mapping[Severity, Patience],
    blank: Alert,
    alerts: Mapping[str, Alert],
    observed: Sequence[Observed],
    now: datetime,
) -> Advanced:
    """Bring the alerts of one rule up to what was observed; one that was not observed stays as it is.

    Args:
        patience: of each severity that the rule knows now.
        blank: what a new alert of the rule starts from; its labels, owner and origin also reach the present ones.
        alerts: the rule's present alerts, by fingerprint.
        observed: what was seen, one per element.
        now: when it was seen.
    """
    transitions: list[Transition] = []
    refreshed: list[Alert] = []
    new = inactive(now)
    for seen in observed:
        was = alerts.get(fingerprint(blank.rule, seen.labels))
        if was is None or not was.standings:
            was = blank
        standings = _standings(patience, was.standings, seen, new, now)
        after, change = _after(was, standings, seen, blank, now)
        if change is not None:
            transitions.append(_transition(change, was, after, now))
        elif after.standings and after != was:
            refreshed.append(after)
    return Advanced(tuple(transitions), tuple(refreshed))


def retire(alerts: Sequence[Alert], reason: str, now: datetime) -> list[Transition]:
    """End alerts whatever their conditions are: their rule was removed, or is not judged at this hour."""
    ended = [(was, replace(was, standings={}, reason=reason, no_data_at=None, changed_at=now)) for was in alerts]
    return [
        _transition(Change.RESOLVED if was.severity is not None else Change.WITHDRAWN, was, after, now)
        for was, after in ended
    ]


def _standings(
    patience: Mapping[Severity, Patience],
    before: Mapping[Severity, Standing],
    seen: Observed,
    new: Standing,
    now: datetime,
) -> dict[Severity, Standing]:
    """Step every severity; one that the rule does not know any more hands its standing to those that are new."""
    if not before.keys() <= patience.keys():
        orphans = [standing for level, standing in sorted(before.items(), reverse=True) if level not in patience]
        new = max(orphans, key=lambda standing: standing.phase.active)
    after = {
        level: step(before.get(level, new), seen.conditions.get(level, Condition.UNKNOWN), wait, now)
        for level, wait in patience.items()
    }
    return {level: standing for level, standing in after.items() if standing.phase is not Phase.INACTIVE}


def _after(
    was: Alert, standings: Mapping[Severity, Standing], seen: Observed, blank: Alert, now: datetime
) -> tuple[Alert, Change | None]:
    """Return the alert with its new standings and what was seen; where nobody knows, the last value stays."""
    severity = highest(standings)
    level = severity if severity is not None else max(standings, default=was.severity)
    since, fired_at, peak, no_data_at = was.since or (now if standings else None), was.fired_at, was.peak, None
    if severity is not None:
        if fired_at is not None and was.severity is None:  # it resolved while this severity was still waiting
            since, fired_at, peak = min(standing.since for standing in was.standings.values()), None, None
        fired_at, peak = fired_at or now, max(peak or severity, severity)
        no_data_at = _no_data_at(standings, was.no_data_at, now)
    change = _change(was, severity, phase_of(standings, severity), no_data_at)
    after = replace(
        was,
        labels=seen.labels,
        standings=standings,
        value=was.value if seen.value is None else seen.value,
        threshold=was.threshold if level is None else seen.thresholds.get(level, was.threshold),
        reason=seen.reason,
        since=since,
        fired_at=fired_at,
        changed_at=was.changed_at if change is None else now,
        peak=peak,
        texts=seen.texts or was.texts,
        rule_labels=blank.rule_labels,
        owner=blank.owner,
        origin=blank.origin,
        no_data_at=no_data_at,
    )
    return after, change


def _no_data_at(standings: Mapping[Severity, Standing], told_at: datetime | None, now: datetime) -> datetime | None:
    """Say when it was told that there are no data: now, when nobody has known for long; kept until somebody knows."""
    since = unknown_since(standings)
    if since is None or told_at is not None:
        return told_at if since is not None else None
    scarce = any(standing.scarce for standing in standings.values())
    return now if not scarce and now - since >= NO_DATA_AFTER else None


def _change(was: Alert, severity: Severity | None, phase: Phase, no_data_at: datetime | None) -> Change | None:
    """Name what changed for people; None where it is only a value, a timer or a severity that waits."""
    match was.severity, severity:
        case None, None:
            if was.phase is phase:
                return None
            return Change.PENDING if phase is Phase.PENDING else Change.WITHDRAWN
        case None, _:
            return Change.FIRED
        case _, None:
            return Change.RESOLVED
        case before, present if before != present:
            return Change.ROSE if present > before else Change.FELL
    if was.phase is not phase:
        return Change.RECOVERING if phase is Phase.RECOVERING else Change.RELAPSED
    if no_data_at == was.no_data_at:
        return None
    return Change.DATA_AGAIN if no_data_at is None else Change.NO_DATA


def _transition(change: Change, was: Alert, after: Alert, now: datetime) -> Transition:
    severity = was.severity if change is Change.RESOLVED else after.severity
    return Transition(change, was.phase, after, now, severity, after.reason)
