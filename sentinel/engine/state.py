"""State: how the house stands in memory. It follows what was committed, and never runs ahead of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from sentinel.core.alert import Alert
from sentinel.core.notification import Group, Notification, Settled, Told
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.engine.outcome import Outcome
from sentinel.routing.silences import Silences
from sentinel.routing.telling import Alerts, Telling


class State:
    """Alerts, and what routing must know. One thread owns it; others are shown values taken from it.

    Attributes:
        telling: alerts, groups, debts, who was told, silences, acknowledgements, timers.
        evaluated: rules that were evaluated, or failed, since the agent began.
        failures: rule to why it could not be evaluated the last time.
        reasons: fingerprint to why its telling was decided so the last time.
    """

    def __init__(self) -> None:
        self.telling = Telling()
        self.evaluated: frozenset[str] = frozenset()
        self.failures: dict[str, str] = {}
        self.reasons: dict[str, tuple[str, ...]] = {}

    @classmethod
    def load(
        cls,
        now: datetime,
        *,
        alerts: Iterable[Alert] = (),
        groups: Iterable[Group] = (),
        notifications: Iterable[Notification] = (),
        told: Iterable[Told] = (),
        silences: Iterable[Silence] = (),
        acknowledgements: Iterable[Acknowledgement] = (),
    ) -> State:
        """Return the state that these rows leave, at the start of the agent; `reload` follows before anything else.

        No timer of an alert counts before its rule was evaluated again. What ended and may still be owed, and what
        fires and was told to nobody, is looked at in the first round.
        """
        state = cls()
        telling = state.telling
        for alert in alerts:
            telling.alerts.put(alert)
        for group in groups:
            telling.put_group(group)
        for row in notifications:
            telling.put_notification(row)
        for one in told:
            telling.put_told(one)
        telling.silences = Silences(silences)
        telling.acknowledgements = {ack.fingerprint: ack for ack in acknowledgements}
        telling.settled_groups = {group for group in telling.groups if any(telling.told_in(group))}
        state.distrust()
        telling.heard = {fingerprint: set() for fingerprint in telling.alerts.ended}
        for alert in telling.alerts:
            if alert.severity is None:
                telling.heard[alert.fingerprint] = set()
            elif not telling.groups_of(alert.fingerprint) or _is_behind(alert, telling):
                telling.timers.set(alert.fingerprint, now)
        return state

    def distrust(self) -> None:
        """Let no timer of an alert count before its rule was evaluated again, since nobody looked for a while."""
        self.telling.unconfirmed = {alert.fingerprint for alert in self.alerts}

    @property
    def alerts(self) -> Alerts:
        """The alerts there are, by rule."""
        return self.telling.alerts

    @property
    def next_at(self) -> datetime | None:
        """When a timer of a group, a silence or a mute is due next; `restless` may ask for a round before."""
        return self.telling.next_at

    @property
    def restless(self) -> bool:
        """Whether something was settled or set that a round must look at now, whatever the time."""
        return self.telling.restless

    def apply(self, outcome: Outcome) -> None:
        """Take over an outcome, after it was committed and before anything else is decided."""
        self.telling.apply(outcome.routed, outcome.alerts)
        for rule in outcome.evaluated:
            self.failures.pop(rule, None)
        if not (looked_at := {*outcome.evaluated, *outcome.failures}) <= self.evaluated:
            self.evaluated |= looked_at
        if self.telling.unconfirmed:
            for rule in (*outcome.evaluated, *outcome.failures):
                self.telling.unconfirmed.difference_update(self.alerts.of(rule))
        self.failures |= outcome.failures
        self.reasons |= outcome.routed.reasons
        for fingerprint in outcome.forgotten:
            self.reasons.pop(fingerprint, None)

    def follow(self, rules: Collection[str]) -> None:
        """Know that these rules are all there are: one that failed and is gone fails no more."""
        self.evaluated = self.evaluated.intersection(rules)
        self.failures = {rule: why for rule, why in self.failures.items() if rule in rules}

    def settled(self, settled: Settled) -> None:
        """Take over what delivery leased or settled, after that was committed."""
        self.telling.settled(settled)

    def silenced(self, silence: Silence) -> None:
        """Take over a silence that was set, or whose end was moved, after that was committed."""
        self.telling.silences.put(silence)
        self.telling.anew = True

    def unsilenced(self, id_: str) -> None:
        """Take over that a silence is over, after that was committed."""
        self.telling.silences.drop(id_)
        self.telling.anew = True

    def acknowledged(self, acknowledgement: Acknowledgement) -> None:
        """Take over an acknowledgement, after it was committed."""
        self.telling.acknowledgements[acknowledgement.fingerprint] = acknowledgement

    def unacknowledged(self, fingerprint: str, now: datetime) -> None:
        """Take over that an acknowledgement was taken back: whatever it stopped is looked at now."""
        self.telling.acknowledgements.pop(fingerprint, None)
        for key in self.telling.groups_of(fingerprint):
            self.telling.timers.set(key, now)


def _is_behind(alert: Alert, telling: Telling) -> bool:
    """Say whether somebody heard of the alert at a lower severity than it has, and no word is on its way."""
    if alert.severity is None or telling.ids_about(alert.fingerprint):
        return False
    return any((told.severity or 0) < alert.severity for told in telling.told_of(alert.fingerprint).values())
