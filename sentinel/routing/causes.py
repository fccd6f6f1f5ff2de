"""Causes: which alerts explain which others, found by the inhibition and by what both must have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from sentinel.core.alert import Alert
from sentinel.routing.match import attribute
from sentinel.routing.route import Inhibition, Policy

#: An inhibition's name, and the values of its `equal`.
Key = tuple[str, tuple[str, ...]]


class Causes:
    """Alerts, filed by what they may be the cause of and by what may cover them.

    Args:
        policy: whose inhibitions count.
        alerts: to begin with.
    """

    def __init__(self, policy: Policy, alerts: Iterable[Alert] = ()) -> None:
        self.policy = policy
        self._causing: dict[Key, dict[str, None]] = defaultdict(dict)
        self._covered: dict[Key, dict[str, None]] = defaultdict(dict)
        self._keys: dict[str, tuple[list[Key], list[Key]]] = {}
        if policy.inhibitions:
            for alert in alerts:
                self.put(alert)

    def put(self, alert: Alert) -> None:
        """Take an alert as it stands now."""
        fingerprint = alert.fingerprint
        self.drop(fingerprint)
        if not self.policy.inhibitions:
            return
        causing = list(explained_by(alert, self.policy))
        covered = [_key(one, alert) for one in covering(alert, self.policy)]
        if causing or covered:
            self._keys[fingerprint] = causing, covered
        for filed, keys in ((self._causing, causing), (self._covered, covered)):
            for key in keys:
                filed[key][fingerprint] = None

    def drop(self, fingerprint: str) -> None:
        """Forget an alert."""
        causing, covered = self._keys.pop(fingerprint, ((), ()))
        for filed, keys in ((self._causing, causing), (self._covered, covered)):
            for key in keys:
                del filed[key][fingerprint]
                if not filed[key]:
                    del filed[key]

    def of(self, inhibition: Inhibition, alert: Alert) -> Iterable[str]:
        """Return the alerts that are the cause of this one, which the inhibition covers."""
        return self._causing.get(_key(inhibition, alert), ())

    def covered(self, key: Key) -> Iterable[str]:
        """Return the alerts that a cause under this key covers."""
        return self._covered.get(key, ())


def explained_by(alert: Alert, policy: Policy) -> Iterator[Key]:
    """Iterate over the keys under which an alert is a cause."""
    return (_key(one, alert) for one in policy.causing.matching(alert))


def covering(alert: Alert, policy: Policy) -> Iterator[Inhibition]:
    """Iterate over the inhibitions that cover an alert; what is a cause itself is not covered by its own kind."""
    return (one for one in policy.covering.matching(alert) if not one.cause.matches(alert))


def explains(cause: Alert, alert: Alert, policy: Policy) -> bool:
    """Say whether one alert covers another."""
    keys = set(explained_by(cause, policy))
    return bool(keys) and any(_key(one, alert) in keys for one in covering(alert, policy))


def _key(inhibition: Inhibition, alert: Alert) -> Key:
    return inhibition.name, tuple(attribute(alert, label) for label in inhibition.equal)
