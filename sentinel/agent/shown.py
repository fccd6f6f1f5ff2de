"""Shown: what the desk knows, as the view that anybody may read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sentinel.agent.desk import Desk
from sentinel.agent.view import Reload, View
from sentinel.core.operator import Acknowledgement
from sentinel.routing.draft import Draft
from sentinel.routing.hold import acknowledged
from sentinel.routing.silences import Silences


def view_of(desk: Desk, reload: Reload, now: datetime) -> View:
    """Return how everything stands; only on the desk's thread, or before it begins."""
    telling = desk.state.telling
    return View(
        at=now,
        config=desk.config,
        reload=reload,
        standing=tuple(telling.alerts),
        held=dict(telling.held),
        told={fingerprint: tuple(told.values()) for fingerprint, told in telling.told.items()},
        reasons=dict(desk.state.reasons),
        owed=tuple(telling.open.values()),
        silences=Silences(telling.silences.values()),
        acknowledged={one.fingerprint: one for one in _in_force(desk, now)},
        heartbeats=dict(desk.jobs.known),
        evaluated=desk.state.evaluated,
        failures=dict(desk.state.failures),
        unwritten_since=desk.pen.unwritten_since,
        unwritten_why=desk.pen.unwritten_why,
    )


def _in_force(desk: Desk, now: datetime) -> Iterator[Acknowledgement]:
    telling = desk.state.telling
    draft = Draft(telling, desk.config.policy, now, {})
    for fingerprint, one in telling.acknowledgements.items():
        if (alert := telling.alerts.get(fingerprint)) and acknowledged(alert, draft):
            yield one
