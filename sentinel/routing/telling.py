"""Telling: what routing must know: alerts, groups, debts, who was told, silences, acknowledgements, timers.

`route` only reads it. It changes when what was decided, sent or set has been committed, and the engine's state, its one
owner, says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType

from sentinel.core.alert import Alert
from sentinel.core.notification import Group, Notification, Reason, Settled, Settlement, Told
from sentinel.core.operator import Acknowledgement
from sentinel.routing.causes import Causes
from sentinel.routing.few import Few
from sentinel.routing.route import Policy
from sentinel.routing.silences import Silences
from sentinel.routing.timers import Timers

_NOBODY: Mapping[str, Told] = MappingProxyType({})
_NONE: Mapping[str, Alert] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Held:
    """Why an alert that fires is not told now.

    Args:
        why: in words: "silenced by ann until 14:00: deploy".
        until: when that ends by itself; None where only another alert's end can tell.
        cause: fingerprint of the alert that explains it and fires; "" where none does.
    """

    why: str
    until: datetime | None = None
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Routed:
    """What one call of `route` decided.

    Args:
        causes: alerts as they are but for what they cover, where that changed.
        groups: new and changed ones.
        removed_groups: keys of those that are over: no member, no debt, nobody who waits for its end.
        notifications: new and changed debts, those withdrawn included.
        forgotten: fingerprints of alerts that ended and are owed to nobody.
        acknowledgements: those that are over, since their alert rose or ended.
        suspects: rule to the alerts that it may be about to have, of the rules that were asked.
        held: fingerprint to why it is not told now; None: it is not held any more.
        timers: group key or fingerprint to when it is to be looked at again.
        reasons: fingerprint to why it was told, or not, so and now.
        whole: whether all was looked at that was settled or set before; a new policy alone looks at none of it.
    """

    causes: tuple[Alert, ...] = ()
    groups: tuple[Group, ...] = ()
    removed_groups: tuple[str, ...] = ()
    notifications: tuple[Notification, ...] = ()
    forgotten: tuple[str, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    suspects: Mapping[str, tuple[Alert, ...]] = field(default_factory=dict)
    held: Mapping[str, Held | None] = field(default_factory=dict)
    timers: Mapping[str, datetime | None] = field(default_factory=dict)
    reasons: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    whole: bool = True


class Alerts:
    """The alerts there are, by rule; and those that ended and of whose end somebody is still to hear."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Alert]] = defaultdict(dict)
        self._rule: dict[str, str] = {}
        self.ended: dict[str, Alert] = {}

    def of(self, rule: str) -> Mapping[str, Alert]:
        """Return the alerts of a rule that go on, by fingerprint."""
        return self._of.get(rule, _NONE)

    def get(self, fingerprint: str) -> Alert | None:
        """Return one, whether it goes on or ended."""
        rule = self._rule.get(fingerprint)
        return self._of[rule][fingerprint] if rule is not None else self.ended.get(fingerprint)

    def put(self, alert: Alert) -> None:
        """Take it as it is now: among those that go on while it stands anywhere, else among those that ended."""
        self.drop(alert.fingerprint)
        if alert.standings:
            self._rule[alert.fingerprint] = alert.rule
            self._of[alert.rule][alert.fingerprint] = alert
        else:
            self.ended[alert.fingerprint] = alert

    def drop(self, fingerprint: str) -> None:
        """Forget one."""
        self.ended.pop(fingerprint, None)
        rule = self._rule.pop(fingerprint, None)
        if rule is not None:
            del self._of[rule][fingerprint]

    @property
    def rules(self) -> list[str]:
        """The rules that have alerts which go on."""
        return [rule for rule, alerts in self._of.items() if alerts]

    def __iter__(self) -> Iterator[Alert]:
        """Iterate over those that go on."""
        return (alert for alerts in self._of.values() for alert in alerts.values())

    def __len__(self) -> int:
        return len(self._rule)


class Telling:
    """Everything that routing must know, indexed as it asks.

    Attributes:
        alerts: as they stand.
        groups: by key.
        open: debts that are still owed, by id.
        told: fingerprint to notifier to what that one heard last.
        silences: by id.
        acknowledgements: by fingerprint.
        held: fingerprint to why it is not told now.
        timers: of groups and of what is held.
        heard: fingerprints, each with the notifiers that heard something since the last round.
        settled_groups: groups of which something was settled since then.
        returned: debts that came back unsent since then.
        unconfirmed: alerts that were not judged since the agent started: no timer of theirs counts before.
        anew: whether silences or the policy changed, so that all that is held must be looked at.
        suspects: rule to the alerts that it may be about to have, since the probe behind them has just failed.
        serial: rounds and receipts so far; makes ids of one instant differ.
    """

    def __init__(self) -> None:
        self.alerts = Alerts()
        self.groups: dict[str, Group] = {}
        self.open: dict[str, Notification] = {}
        self.told: dict[str, dict[str, Told]] = {}
        self.silences = Silences()
        self.acknowledgements: dict[str, Acknowledgement] = {}
        self.held: dict[str, Held] = {}
        self.timers = Timers()
        self.heard: dict[str, set[str]] = {}
        self.settled_groups: set[str] = set()
        self.returned: set[str] = set()
        self.unconfirmed: set[str] = set()
        self.suspects: dict[str, tuple[Alert, ...]] = {}
        self.anew = False
        self.serial = 0
        self._about, self._groups_of, self._rows_in = Few(), Few(), Few()
        self._told_in: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self._causes: Causes | None = None

    # -- what is asked ---------------------------------------------------------------------------------------------

    def ids_about(self, fingerprint: str) -> Iterable[str]:
        """Return the ids of the open debts about an alert."""
        return self._about.get(fingerprint, ())

    def ids_in(self, group: str) -> Iterable[str]:
        """Return the ids of a group's open debts."""
        return self._rows_in.get(group, ())

    def groups_of(self, fingerprint: str) -> Iterable[str]:
        """Return the keys of the groups that an alert is a member of."""
        return self._groups_of.get(fingerprint, ())

    def told_of(self, fingerprint: str) -> Mapping[str, Told]:
        """Return who heard of an alert and has not heard of its end."""
        return self.told.get(fingerprint, _NOBODY)

    def told_in(self, group: str) -> Iterable[tuple[str, str]]:
        """Return the notifiers and fingerprints that wait for an end in a group's message."""
        return self._told_in.get(group, ())

    def causes(self, policy: Policy) -> Causes:
        """Return what may explain what under a policy; worked out once for each, then kept up to date."""
        if self._causes is None or self._causes.policy is not policy:
            self._causes = Causes(policy, (*self.alerts, *self.alerts.ended.values()))
        return self._causes

    @property
    def next_at(self) -> datetime | None:
        """When a timer is due next."""
        return self.timers.next_at

    @property
    def restless(self) -> bool:
        """Whether something was settled or set that a round must look at now, whatever the time."""
        return bool(self.heard or self.settled_groups or self.returned or self.anew)

    def quiet(self, now: datetime) -> bool:
        """Whether a round owes nobody anything, unless a rule finds something: no timer is due, nothing was settled."""
        return not self.restless and (self.next_at is None or self.next_at > now)

    # -- what became true ------------------------------------------------------------------------------------------

    def apply(self, routed: Routed, alerts: Iterable[Alert]) -> None:
        """Take over a round that was committed."""
        self.serial += 1
        for alert in alerts:
            self.alerts.put(alert)
            if self._causes:
                self._causes.put(alert)
        for group in routed.groups:
            self.put_group(group)
        for row in routed.notifications:
            self.put_notification(row)
        for key in routed.removed_groups:
            self._drop_group(key)
        for name, at in routed.timers.items():
            self.timers.set(name, at)
        for fingerprint, held in routed.held.items():
            if held is None:
                self.held.pop(fingerprint, None)
            else:
                self.held[fingerprint] = held
        self.acknowledgements |= {ack.fingerprint: ack for ack in routed.acknowledgements}
        for fingerprint in routed.forgotten:
            self._forget(fingerprint)
        self.suspects = {rule: alerts for rule, alerts in {**self.suspects, **routed.suspects}.items() if alerts}
        if routed.whole:
            self.heard, self.settled_groups, self.returned, self.anew = {}, set(), set(), False
        else:
            self.anew, self.suspects = True, {}

    def settled(self, settled: Settled) -> None:
        """Take over what delivery leased or settled, after that was committed."""
        self.serial += 1
        for row in settled.notifications:
            self.put_notification(row)
            if row.settlement is Settlement.WAITING:
                self.returned.add(row.id)
            elif row.settlement is not Settlement.SENDING:
                self.settled_groups.add(row.group)
                for fingerprint in row.alerts:
                    self.heard.setdefault(fingerprint, set())
                    if row.settlement is Settlement.DEAD and row.reason is Reason.RESOLVED:
                        # That it is over could not be told: that is a dead letter now, and no debt any more.
                        self._untell(fingerprint, row.notifier)
        for told in settled.told:
            self.put_told(told)
            self.heard.setdefault(told.fingerprint, set()).add(told.notifier)

    def put_group(self, group: Group) -> None:
        """Take a group as it is now."""
        before = self.groups[group.key].alerts if group.key in self.groups else ()
        if before != group.alerts:
            for fingerprint in set(before).difference(group.alerts):
                self._groups_of.drop(fingerprint, group.key)
            for fingerprint in set(group.alerts).difference(before):
                self._groups_of.add(fingerprint, group.key)
        self.groups[group.key] = group

    def put_notification(self, row: Notification) -> None:
        """Take a debt as it is now; one that is settled is not kept."""
        if (was := self.open.pop(row.id, None)) is not None:
            self._rows_in.drop(was.group, row.id)
            for fingerprint in was.alerts:
                self._about.drop(fingerprint, row.id)
        if row.settlement.open:
            self.open[row.id] = row
            self._rows_in.add(row.group, row.id)
            for fingerprint in row.alerts:
                self._about.add(fingerprint, row.id)

    def put_told(self, told: Told) -> None:
        """Take what a notifier heard; who heard the end is waited for no more."""
        self._untell(told.fingerprint, told.notifier)
        if told.severity is not None:
            self.told.setdefault(told.fingerprint, {})[told.notifier] = told
            self._told_in[told.group].add((told.notifier, told.fingerprint))

    def _untell(self, fingerprint: str, notifier: str) -> None:
        heard = self.told.get(fingerprint, {})
        if (was := heard.pop(notifier, None)) is not None:
            self._told_in[was.group].discard((notifier, fingerprint))
            self.settled_groups.add(was.group)
        if not heard:
            self.told.pop(fingerprint, None)

    def _drop_group(self, key: str) -> None:
        group = self.groups.pop(key, None)
        for fingerprint in group.alerts if group else ():
            self._groups_of.drop(fingerprint, key)
        self.timers.set(key, None)
        if not self._told_in.get(key):
            self._told_in.pop(key, None)

    def _forget(self, fingerprint: str) -> None:
        self.alerts.drop(fingerprint)
        if self._causes:
            self._causes.drop(fingerprint)
        for notifier in list(self.told_of(fingerprint)):
            self._untell(fingerprint, notifier)
        self.held.pop(fingerprint, None)
        self.acknowledgements.pop(fingerprint, None)
        self.timers.set(fingerprint, None)
        self.unconfirmed.discard(fingerprint)
