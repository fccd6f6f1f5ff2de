"""Draft: what one round changes, laid over what is; alerts join and leave groups here, and debts are owed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from types import MappingProxyType

from sentinel.core.alert import Alert, Transition
from sentinel.core.notification import Group, Notification, Reason, Told
from sentinel.core.operator import Acknowledgement
from sentinel.core.severity import Severity
from sentinel.routing.causes import Causes, covering, explained_by, explains
from sentinel.routing.debts import Debt, Debts, pressing
from sentinel.routing.few import Few
from sentinel.routing.match import severity_of
from sentinel.routing.places import Place
from sentinel.routing.route import Inhibition, Mute, Policy
from sentinel.routing.telling import Held, Routed, Telling


class Draft:
    """One round's changes; the telling below it stays as it is.

    Args:
        telling: what is.
        policy: who is to hear of what.
        now: the round's one instant.
        alerts: as they are after the round's evaluations, where they differ.
        suspects: rule to the alerts that it may be about to have, where they differ.
    """

    def __init__(
        self,
        telling: Telling,
        policy: Policy,
        now: datetime,
        alerts: Mapping[str, Alert],
        suspects: Mapping[str, tuple[Alert, ...]] = MappingProxyType({}),
    ) -> None:
        self.telling, self.policy, self.now = telling, policy, now
        self.debts = Debts(telling, now)
        self._alerts = alerts
        self._suspects = {**telling.suspects, **suspects}
        self._groups: dict[str, Group] = {}
        self._members: dict[str, dict[str, None]] = {}  # of groups that somebody joined or left
        self._joined = Few()  # fingerprint to keys of groups
        self._held: dict[str, Held | None] = {}
        self._covers: dict[str, dict[str, None]] = {}  # of causes of which it changed
        self._muted: dict[str, Held | None] = {}
        self._worst: dict[str, int] = {}
        self._reasons: dict[str, list[str]] = defaultdict(list)
        self.forgotten: dict[str, None] = {}
        self._released: dict[str, Acknowledgement] = {}
        self.timers: dict[str, datetime | None] = {}
        self.touched: dict[str, None] = dict.fromkeys(sorted(telling.settled_groups))  # groups that may be over

    # -- alerts ----------------------------------------------------------------------------------------------------

    def alert(self, fingerprint: str) -> Alert | None:
        """Return an alert as it is after this round."""
        return self._alerts.get(fingerprint) or self.telling.alerts.get(fingerprint)

    def causes_of(self, alert: Alert) -> Iterator[tuple[Inhibition, Alert]]:
        """Iterate over what may explain an alert, each with by what: alerts, suspects, also what pends or ended."""
        before = self.telling.causes(self.policy)
        for inhibition in covering(alert, self.policy):
            unchanged = (one for one in before.of(inhibition, alert) if one not in self._alerts)
            for fingerprint in (*unchanged, *self._here.of(inhibition, alert)):
                if cause := self.alert(fingerprint):
                    yield inhibition, cause
            for fingerprint in self._suspicious.of(inhibition, alert):
                if self.alert(fingerprint) is None:
                    yield inhibition, self._suspected[fingerprint]

    def covered_by(self, fingerprints: Iterable[str]) -> Iterator[str]:
        """Iterate over what these alerts explain, or explained before the round, and what suspects do; some twice."""
        if not self.policy.inhibitions:
            return iter(())
        causes = [alert for one in fingerprints for alert in (self.telling.alerts.get(one), self.alert(one)) if alert]
        for rule, suspects in self._suspects.items():
            if suspects != (before := self.telling.suspects.get(rule, ())):
                causes += (*before, *suspects)
        keys = {key for cause in causes for key in explained_by(cause, self.policy)}
        return (one for key in sorted(keys) for one in self.telling.causes(self.policy).covered(key))

    @cached_property
    def _here(self) -> Causes:
        return Causes(self.policy, self._alerts.values())

    @cached_property
    def _suspected(self) -> Mapping[str, Alert]:
        return {alert.fingerprint: alert for suspects in self._suspects.values() for alert in suspects}

    @cached_property
    def _suspicious(self) -> Causes:
        return Causes(self.policy, self._suspected.values())

    def during(self, mute: Mute) -> Held | None:
        """Return that a mute holds at the round's instant; None outside its hours."""
        if mute.name not in self._muted:
            held = Held(f"muted by {mute.name}: {mute.reason}", mute.during.next_change_after(self.now))
            self._muted[mute.name] = held if mute.during.contains(self.now) else None
        return self._muted[mute.name]

    def release(self, fingerprint: str) -> None:
        """End the acknowledgement of an alert, if somebody has it in hand."""
        if (ack := self.acknowledgement(fingerprint)) and ack.ends_at > self.now:
            self._released[fingerprint] = replace(ack, ends_at=self.now)

    def acknowledgement(self, fingerprint: str) -> Acknowledgement | None:
        """Return who has, or had, an alert in hand."""
        return self._released.get(fingerprint) or self.telling.acknowledgements.get(fingerprint)

    def say(self, fingerprint: str, why: str) -> None:
        """Note why something is told, or not."""
        self._reasons[fingerprint].append(why)

    def hold(self, alert: Alert, held: Held | None) -> None:
        """Hold an alert's telling back, or (with None) no longer."""
        fingerprint = alert.fingerprint
        if self.policy.inhibitions:
            self._cover(alert, held.cause if held else "")
        if held is None and fingerprint not in self.telling.held and fingerprint not in self._held:
            return
        self._held[fingerprint] = held
        self.timers[fingerprint] = held.until if held else None
        if held:
            self.say(fingerprint, held.why)

    def _cover(self, alert: Alert, cause: str) -> None:
        """Note in the causes that fire whether this alert is covered by them."""
        for _, one in self.causes_of(alert):
            key = one.fingerprint
            covers = self._covers.get(key, one.covers)
            if one.severity is not None and (alert.named in covers) is not (key == cause):
                covers = self._covers.setdefault(key, dict.fromkeys(one.covers))
                if key == cause:
                    covers[alert.named] = None
                else:
                    del covers[alert.named]

    def trim(self, cause: Alert) -> None:
        """Let an alert, which has changed or stands under another policy, cover only what it still explains."""
        if not cause.covers:
            return
        named = {alert.named: alert for alert in self.telling.alerts}
        for name in cause.covers:
            alert = named.get(name)
            if alert is None or not explains(cause, alert, self.policy):
                self._covers.setdefault(cause.fingerprint, dict.fromkeys(cause.covers)).pop(name, None)

    def causes(self) -> tuple[Alert, ...]:
        """Return the alerts of which it changed what they cover, as they are after this round."""
        found = ((self.alert(key), tuple(covers)) for key, covers in self._covers.items())
        return tuple(replace(alert, covers=covers) for alert, covers in found if alert and alert.covers != covers)

    def held(self, fingerprint: str) -> Held | None:
        """Return why an alert is not told now."""
        return self._held[fingerprint] if fingerprint in self._held else self.telling.held.get(fingerprint)

    def told(self, fingerprint: str) -> dict[str, Told]:
        """Return who is configured, heard of an alert, and has not heard of its end."""
        known, told = self.policy.notifiers, self.telling.told_of(fingerprint)
        return {name: one for name, one in told.items() if name in known} if told else {}

    # -- groups ----------------------------------------------------------------------------------------------------

    def group(self, key: str) -> Group | None:
        """Return a group as it is after what was decided so far, but for its members."""
        return self._groups.get(key) or self.telling.groups.get(key)

    def members(self, key: str) -> Collection[str]:
        """Return a group's members after what was decided so far."""
        group = self.group(key)
        return self._members.get(key, group.alerts if group else ())

    def put_group(self, group: Group) -> None:
        """Change a group, but for its members."""
        self._groups[group.key] = group
        self.touched[group.key] = None

    def groups_of(self, fingerprint: str) -> list[str]:
        """Return the keys of the groups that an alert is a member of."""
        keys = {*self.telling.groups_of(fingerprint), *self._joined.get(fingerprint, ())}
        return sorted([key for key in keys if key not in self._members or fingerprint in self._members[key]])

    def join(self, place: Place, fingerprint: str) -> bool:
        """Make an alert a member of its place's group; say whether it was none."""
        group = self.group(place.key)
        if group is None:
            group = Group(place.key, place.route.name, place.labels, (fingerprint,), opened_at=self.now)
            self._members[place.key] = {fingerprint: None}
        elif fingerprint in (members := self._own_members(group)):
            return False
        else:
            members[fingerprint] = None
        self._joined.add(fingerprint, place.key)
        self.put_group(group)
        return True

    def leave(self, key: str, fingerprint: str) -> None:
        """Take an alert out of a group."""
        if group := self.group(key):
            self._own_members(group).pop(fingerprint, None)
            self.put_group(group)

    def _own_members(self, group: Group) -> dict[str, None]:
        if group.key not in self._members:
            self._members[group.key] = dict.fromkeys(group.alerts)
        return self._members[group.key]

    def worsens(self, key: str, severity: Severity | None) -> bool:
        """Say whether this severity is above all that the group had, and note it."""
        if key not in self._worst:
            was = self.telling.groups.get(key)
            members = [self.telling.alerts.get(member) for member in was.alerts] if was else []
            self._worst[key] = max([severity_of(alert) or 0 for alert in members if alert], default=0)
        worse = (severity or 0) > self._worst[key]
        self._worst[key] = max(severity or 0, self._worst[key])
        return worse

    # -- debts -----------------------------------------------------------------------------------------------------

    def owe(self, notifier: str, group: str, alert: Alert, reason: Reason, due_at: datetime) -> None:
        """Owe a notifier word of an alert."""
        self.say(alert.fingerprint, f"{notifier} is told: {reason}{_in(due_at, self.now)}")
        self.debts.owe(notifier, group, alert, reason, due_at)

    def take_back(self, row: Notification, fingerprint: str, why: str) -> None:
        """Let a notifier not be told of an alert after all."""
        self.say(fingerprint, f"{row.notifier} is not told: {why}")
        self.debts.take_back(row, fingerprint, why)

    def _settled(self, debt: Debt) -> Notification:
        """Return a debt with what it is about, and the reason and severity that it has by that."""
        row, alerts = debt.row, tuple(debt.alerts)
        if not row.settlement.open or not alerts:
            return row
        if not debt.doubtful:
            reason, severity = pressing(row.reason, *debt.asked.values()), max(row.severity, debt.severity)
        else:
            about = [alert for fingerprint in alerts if (alert := self.alert(fingerprint))]
            reasons = [*debt.asked.values(), *(self._reason(row, alert) for alert in about)]
            reason = pressing(*reasons) if reasons else row.reason
            severity = max((severity_of(alert) or Severity.INFO for alert in about), default=row.severity)
        if (alerts, reason, severity) == (row.alerts, row.reason, row.severity):
            return row
        return replace(row, alerts=alerts, reason=reason, severity=severity)

    def _reason(self, row: Notification, alert: Alert) -> Reason:
        heard = self.told(alert.fingerprint).get(row.notifier)
        if alert.severity is None:
            return Reason.RESOLVED if heard else Reason.FIRING
        if heard is None or heard.severity is None:
            return Reason.FIRING
        if heard.severity < alert.severity:
            return Reason.ROSE
        return Reason.UPDATED if row.reason in (Reason.RESOLVED, Reason.ROSE) else row.reason

    # -- the round's end -------------------------------------------------------------------------------------------

    def routed(self) -> Routed:
        """Return what the round changes."""
        self.touched |= dict.fromkeys(debt.row.group for debt in self.debts.changed())
        removed = {key: None for key in self.touched if self._is_over(key)}
        groups = (self._with_members(group) for key, group in self._groups.items() if key not in removed)
        rows = map(self._settled, self.debts.changed())
        return Routed(
            causes=self.causes(),
            groups=tuple(group for group in groups if group != self.telling.groups.get(group.key)),
            removed_groups=tuple(key for key in removed if key in self.telling.groups),
            notifications=tuple(row for row in rows if row != self.telling.open.get(row.id)),
            forgotten=tuple(self.forgotten),
            acknowledgements=tuple(self._released.values()),
            suspects=self._suspects,
            held=self._held,
            timers=self.timers | dict.fromkeys(removed, None),
            reasons={fingerprint: tuple(said) for fingerprint, said in self._reasons.items()},
        )

    def _with_members(self, group: Group) -> Group:
        alerts = tuple(self.members(group.key))
        return group if group.alerts == alerts else replace(group, alerts=alerts)

    def _is_over(self, key: str) -> bool:
        return (
            self.group(key) is not None
            and not self.members(key)
            and not self.debts.of_group(key)
            and all(fingerprint in self.forgotten for _, fingerprint in self.telling.told_in(key))
        )


def overlay(transitions: Iterable[Transition], refreshed: Iterable[Alert]) -> dict[str, Alert]:
    """Return the alerts that a round's evaluations changed, each as it is after them."""
    changed = {alert.fingerprint: alert for alert in refreshed}
    return changed | {transition.alert.fingerprint: transition.alert for transition in transitions}


def _in(due_at: datetime, now: datetime) -> str:
    return f" in {(due_at - now).total_seconds():.0f} s" if due_at > now else ""
