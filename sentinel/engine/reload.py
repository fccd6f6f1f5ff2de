"""Reload: what another configuration, or a start, changes by itself: next to nothing, and nobody is told of it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from sentinel.alerts import resume, retire
from sentinel.engine.outcome import Outcome
from sentinel.engine.state import State
from sentinel.routing.adopt import adopt
from sentinel.routing.route import Policy

REMOVED = "rule removed"


def reload(
    rules: Collection[str],
    policy: Policy,
    state: State,
    now: datetime,
    *,
    former: Policy | None = None,
    away: timedelta = timedelta(),
) -> Outcome:
    """Return what a swap of the configuration, or a start of the agent, decides.

    Alerts of rules that are gone resolve; all others, of edited rules too, stand as they stood. Groups move to their
    routes as they are now, debts to notifiers that are gone to their fallbacks. At a start, the time in which the agent
    did not look counts for no timer of an alert.

    Args:
        rules: the names of those that are configured now.
        policy: that holds from now on.
        state: how the house stands.
        now: the instant.
        former: the policy that held until now; None at a start.
        away: how long the agent did not look.
    """
    removed = [rule for rule in state.alerts.rules if rule not in rules]
    transitions = [
        transition for rule in removed for transition in retire(list(state.alerts.of(rule).values()), REMOVED, now)
    ]
    kept = [alert for alert in state.alerts if alert.rule in rules]
    refreshed = tuple(resumed for alert in kept if (resumed := resume(alert, away)) != alert)
    routed = adopt(state.telling, policy, now, former, [transition.alert for transition in transitions])
    return Outcome(tuple(transitions), refreshed, routed)
