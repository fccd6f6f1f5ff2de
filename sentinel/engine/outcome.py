"""Outcome: what one round decided; the desk writes it in one transaction, then the state takes it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sentinel.core.alert import Alert, Transition
from sentinel.core.notification import Group, Notification
from sentinel.core.operator import Acknowledgement
from sentinel.core.sample import Batch
from sentinel.routing.telling import Routed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one round decided. Nothing of it is true before it is committed.

    To be written, all in one transaction: `alerts` (put; one that ended is kept, with no standings, until everybody who
    heard of it has heard that it is over), `transitions` (audit), `forgotten` (alert rows to remove, with their rows in
    `told`), `acknowledgements` (put), `groups` (put), `removed_groups`, `notifications` (put).

    Args:
        transitions: changes, in order.
        refreshed: alerts whose value, texts or timers changed without a transition.
        routed: groups, debts and timers.
        failures: rule to why it could not be evaluated; its alerts stand as they stood.
        evaluated: rules that were.
        recorded: samples that rules wrote; they go into the head before the rest is committed.
    """

    transitions: tuple[Transition, ...] = ()
    refreshed: tuple[Alert, ...] = ()
    routed: Routed = field(default_factory=Routed)
    failures: Mapping[str, str] = field(default_factory=dict)
    evaluated: tuple[str, ...] = ()
    recorded: tuple[Batch, ...] = ()

    @property
    def alerts(self) -> tuple[Alert, ...]:
        """Every alert as it stands after the round, each once: the rows to put."""
        newest = {alert.fingerprint: alert for alert in self.refreshed}
        newest |= {transition.alert.fingerprint: transition.alert for transition in self.transitions}
        newest |= {alert.fingerprint: alert for alert in self.routed.causes}
        return tuple(newest.values())

    @property
    def groups(self) -> tuple[Group, ...]:
        """New and changed groups."""
        return self.routed.groups

    @property
    def removed_groups(self) -> tuple[str, ...]:
        """Keys of groups that are over."""
        return self.routed.removed_groups

    @property
    def notifications(self) -> tuple[Notification, ...]:
        """New and changed debts."""
        return self.routed.notifications

    @property
    def forgotten(self) -> tuple[str, ...]:
        """Fingerprints of alerts that ended and are owed to nobody."""
        return self.routed.forgotten

    @property
    def acknowledgements(self) -> tuple[Acknowledgement, ...]:
        """Acknowledgements that are over."""
        return self.routed.acknowledgements

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (
            self.transitions
            or self.refreshed
            or self.routed.causes
            or self.groups
            or self.removed_groups
            or self.notifications
            or self.forgotten
            or self.acknowledgements
        )
