"""Where an alert goes: the groups that it belongs to, and who hears of it through each."""

from __future__ import annotations

from dataclasses import dataclass, replace

from sentinel.core.alert import Alert
from sentinel.core.labels import Labels
from sentinel.routing.match import attribute
from sentinel.routing.route import Policy, Route

EACH = "..."  # as `group_by`: a group per alert
#: The built-in alerts about a notifier, which they have as a label of that name: it cannot tell of itself.
ABOUT_A_NOTIFIER = {"sentinel-notifier-down", "sentinel-dead-letters"}


@dataclass(frozen=True, slots=True)
class Place:
    """One group that an alert belongs to.

    Args:
        route: that took the alert.
        key: of the group: the route's name and the group's labels, so that it survives reload and restart.
        labels: of the group.
        notifiers: who hears of this alert through this route: those that no earlier route named.
    """

    route: Route
    key: str
    labels: Labels
    notifiers: tuple[str, ...]


def places(alert: Alert, policy: Policy) -> tuple[Place, ...]:
    """Return where an alert goes as it stands: the first route that matches, and the next after each `continue`."""
    found: list[Place] = []
    named: set[str] = set()
    for route in policy.taking.matching(alert):
        fresh = tuple([name for name in dict.fromkeys(route.notify) if name not in named])
        named.update(fresh)
        if fresh or not route.notify:
            labels = group_labels(alert, route.group_by)
            found.append(Place(route, f"{route.name}{labels}", labels, fresh))
        if not route.continue_:
            break
    return _with_another(alert, policy, found) if alert.rule in ABOUT_A_NOTIFIER else tuple(found)


def _with_another(alert: Alert, policy: Policy, found: list[Place]) -> tuple[Place, ...]:
    """Let another notifier tell what is about the only one that would hear of it: its fallback, else the first."""
    concerned = alert.labels.get("notifier")
    others = (policy.fallbacks.get(concerned), *policy.notifiers)
    another = next((name for name in others if name not in (None, concerned)), None)
    if another is None or {name for place in found for name in place.notifiers} != {concerned}:
        return tuple(found)
    return tuple(replace(one, notifiers=(*one.notifiers, another)) if one.notifiers else one for one in found)


def audience(alert: Alert, policy: Policy) -> frozenset[str]:
    """Return everybody who is on the alert's route."""
    return frozenset(name for place in places(alert, policy) for name in place.notifiers)


def group_labels(alert: Alert, group_by: tuple[str, ...]) -> Labels:
    """Return the values that make the alert's group."""
    if EACH in group_by:
        return alert.labels.merge({"rule": alert.rule})
    return Labels(sorted([(key, value) for key in set(group_by) if (value := attribute(alert, key))]))
