"""Why an alert that fires is not told now: a silence, a mute, or a cause that says it already.

All of them stop the telling and never the judging; none of them stops a resolve.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from sentinel.core.alert import Alert
from sentinel.routing.causes import explains
from sentinel.routing.draft import Draft
from sentinel.routing.telling import Held

_NEVER = datetime.max.replace(tzinfo=UTC)
#: How long a dependent waits for a cause that pends, and after the end of one that fired.
PATIENCE = timedelta(minutes=1)


def hold(alert: Alert, draft: Draft) -> Held | None:
    """Return why an alert is not told now, or None where nothing speaks against it."""
    if not (draft.telling.silences or draft.policy.mutes or draft.policy.inhibitions):
        return None  # as mostly: a storm need not ask them one by one
    return next(_silences(alert, draft), None) or next(_mutes(alert, draft), None) or _cause(alert, draft)


def acknowledged(alert: Alert, draft: Draft) -> str:
    """Return who has the alert in hand, which stops reminders and escalation; "" where nobody has.

    An acknowledgement ends when its time is over, which a rise and the alert's end bring forward.
    """
    ack = draft.acknowledgement(alert.fingerprint)
    if ack is None or alert.severity is None or not ack.at <= draft.now < ack.ends_at:
        return ""
    return f"acknowledged by {ack.author} until {ack.ends_at:%Y-%m-%d %H:%M} UTC: {ack.reason}"


def is_cause(alert: Alert, draft: Draft) -> bool:
    """Say whether others may be covered by this alert."""
    return any(draft.policy.causing.matching(alert))


def _silences(alert: Alert, draft: Draft) -> Iterator[Held]:
    for silence in draft.telling.silences.matching(alert, draft.now):
        until = f"{silence.ends_at:%Y-%m-%d %H:%M} UTC"
        yield Held(f"silenced by {silence.author} until {until}: {silence.reason}", silence.ends_at)


def _mutes(alert: Alert, draft: Draft) -> Iterator[Held]:
    for mute in draft.policy.muting.matching(alert):
        if held := draft.during(mute):
            yield held


def _cause(alert: Alert, draft: Draft) -> Held | None:
    """Return the cause that covers an alert: one that fires before one that is waited for, the longest wait first.

    Of two that explain one another the first is told, so that they do not keep each other quiet.
    """
    waits: list[tuple[datetime, str]] = []
    for inhibition, cause in draft.causes_of(alert):
        if cause.severity is not None:
            if _came_first(alert, cause) and explains(alert, cause, draft.policy):
                continue
            return Held(f"covered by {cause.named}, which fires ({inhibition.name})", cause=cause.fingerprint)
        if cause.standings and alert.fired_at:
            how = "which pends" if draft.alert(cause.fingerprint) else "whose probe has just failed"
            waits.append((alert.fired_at + PATIENCE, f"waits for {cause.rule}, {how} ({inhibition.name})"))
        elif cause.fired_at and cause.changed_at:
            waits.append((cause.changed_at + PATIENCE, f"{cause.rule} has just ended ({inhibition.name})"))
    until, why = max(waits, default=(draft.now, ""))
    return Held(why, until) if until > draft.now else None


def _came_first(alert: Alert, other: Alert) -> bool:
    return (alert.fired_at or _NEVER, alert.fingerprint) < (other.fired_at or _NEVER, other.fingerprint)
