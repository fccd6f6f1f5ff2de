"""Timers: when time alone may change an alert, so that its rule is evaluated then and not later."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sentinel.alerts.advance import NO_DATA_AFTER
from sentinel.core.alert import Alert, Patience, Phase, Standing
from sentinel.core.severity import Severity


def next_at(alert: Alert, patience: Mapping[Severity, Patience]) -> datetime | None:
    """Return the next end of a `for`, a `keep_firing_for` or a stretch without data; None where nothing runs."""
    said = alert.no_data_at is not None or alert.severity is None
    ends = [
        end
        for level, standing in alert.standings.items()
        if level in patience and (end := _end(standing, patience[level], said))
    ]
    return min(ends) if ends else None


def _end(standing: Standing, patience: Patience, said: bool) -> datetime | None:
    if standing.unknown_since is not None:
        if standing.scarce:
            return standing.unknown_since + patience.scarce_for
        return None if said else standing.unknown_since + NO_DATA_AFTER
    if standing.phase is Phase.PENDING:
        return standing.since + standing.paused + patience.hold_for
    if standing.phase is Phase.RECOVERING and not standing.between:
        return standing.since + standing.paused + patience.keep_firing_for
    return None
