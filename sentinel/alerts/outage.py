"""Outage: time in which the agent did not look counts for no timer of an alert."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sentinel.core.alert import Alert, Standing


def resume(alert: Alert, away: timedelta) -> Alert:
    """Return the alert as it goes on after the agent was away for so long (down, suspended, blind).

    Less than nothing: the clock was set back by so much, and what lasted so long until then lasted so long now.
    """
    if not away:
        return alert
    return replace(alert, standings={level: _resume(s, away) for level, s in alert.standings.items()})


def _resume(standing: Standing, away: timedelta) -> Standing:
    """Let the time away count neither for the phase nor for the stretch of not knowing that it fell into."""
    unknown_since = standing.unknown_since + away if standing.unknown_since else None
    return replace(standing, paused=standing.paused + away, unknown_since=unknown_since)
