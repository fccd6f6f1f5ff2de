"""Draft: what one round changes, laid over what is; debts are owed, joined and taken back here."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sentinel.core.alert import Alert, Transition
from sentinel.core.notification import Group, Notification, Reason, Settlement, Told
from sentinel.core.severity import Severity
from sentinel.routing.match import severity_of
from sentinel.routing.places import Place
from sentinel.routing.route import Policy
from sentinel.routing.telling import Held, Routed, Telling

#: From the most to the least pressing, as the enumeration is written.
PRESSING = {reason: rank for rank, reason in enumerate(Reason)}


class Draft:
    """One round's changes; the telling below it stays as it is.

    Args:
        telling: what is.
        policy: who is to hear of what.
        now: the round's one instant.
        alerts: as they are after the round's evaluations, where they differ.
    """

    def __init__(self, telling: Telling, policy: Policy, now: datetime, alerts: Mapping[str, Alert]) -> None:
        self.telling, self.policy, self.now = telling, policy, now
        self._alerts = alerts
        self._groups: dict[str, Group] = {}
        self._rows: dict[str, Notification] = {}
        self._held: dict[str, Held | None] = {}
        self._worst: dict[str, int] = {}
        self._reasons: dict[str, list[str]] = defaultdict(list)
        self._rows_by: dict[str, dict[str, None]] = defaultdict(dict)  # group key or fingerprint to ids of rows here
        self._joined: dict[str, dict[str, None]] = defaultdict(dict)  # fingerprint to keys of groups changed for it
        self._of_rule: dict[str, list[str]] = defaultdict(list)
        for fingerprint, alert in alerts.items():
            self._of_rule[alert.rule].append(fingerprint)
        self.forgotten: dict[str, None] = {}
        self.timers: dict[str, datetime | None] = {}
        self.touched: dict[str, None] = dict.fromkeys(sorted(telling.settled_groups))  # groups that may be over

    # -- alerts ----------------------------------------------------------------------------------------------------

    def alert(self, fingerprint: str) -> Alert | None:
        """Return an alert as it is after this round."""
        return self._alerts.get(fingerprint) or self.telling.alerts.get(fingerprint)

    def alerts_of(self, rules: Iterable[str] | None) -> Iterator[Alert]:
        """Iterate over the alerts of some rules, or of all, those that ended and are remembered included."""
        names = set(rules) if rules is not None else {*self.telling.alerts.rules, *self._of_rule}
        for name in sorted(names):
            for fingerprint, alert in self.telling.alerts.of(name).items():
                if fingerprint not in self._alerts:
                    yield alert
            for fingerprint in self._of_rule.get(name, ()):
                yield self._alerts[fingerprint]
        for fingerprint, alert in self.telling.alerts.ended.items():
            if fingerprint not in self._alerts and (rules is None or alert.rule in names):
                yield alert

    def say(self, fingerprint: str, why: str) -> None:
        """Note why something is told, or not."""
        self._reasons[fingerprint].append(why)

    def hold(self, fingerprint: str, held: Held | None) -> None:
        """Hold an alert's telling back, or (with None) no longer."""
        if held is None and fingerprint not in self.telling.held and fingerprint not in self._held:
            return
        self._held[fingerprint] = held
        self.timers[fingerprint] = held.until if held else None
        if held:
            self.say(fingerprint, held.why)

    def held(self, fingerprint: str) -> Held | None:
        """Return why an alert is not told now."""
        return self._held[fingerprint] if fingerprint in self._held else self.telling.held.get(fingerprint)

    def told(self, fingerprint: str) -> dict[str, Told]:
        """Return who is configured, heard of an alert, and has not heard of its end."""
        known = self.policy.notifiers
        return {name: told for name, told in self.telling.told_of(fingerprint).items() if name in known}

    # -- groups ----------------------------------------------------------------------------------------------------

    def group(self, key: str) -> Group | None:
        """Return a group as it is after what was decided so far."""
        return self._groups.get(key) or self.telling.groups.get(key)

    def put_group(self, group: Group) -> None:
        """Change a group."""
        self._groups[group.key] = group
        self.touched[group.key] = None

    def groups_of(self, fingerprint: str) -> list[str]:
        """Return the keys of the groups that an alert is a member of."""
        keys = {*self.telling.groups_of(fingerprint), *self._joined.get(fingerprint, ())}
        return sorted(key for key in keys if (group := self.group(key)) and fingerprint in group.alerts)

    def join(self, place: Place, fingerprint: str) -> bool:
        """Make an alert a member of its place's group; say whether it was none."""
        group = self.group(place.key) or Group(place.key, place.route.name, place.labels, opened_at=self.now)
        if fingerprint in group.alerts:
            return False
        self._joined[fingerprint][place.key] = None
        self.put_group(replace(group, alerts=(*group.alerts, fingerprint)))
        return True

    def worsens(self, key: str, severity: Severity | None) -> bool:
        """Say whether this severity is above all that the group had, and note it."""
        if key not in self._worst:
            was = self.telling.groups.get(key)
            members = (self.telling.alerts.get(member) for member in (was.alerts if was else ()))
            self._worst[key] = max((severity_of(alert) or 0 for alert in members if alert), default=0)
        worse = (severity or 0) > self._worst[key]
        self._worst[key] = max(severity or 0, self._worst[key])
        return worse

    def leave(self, key: str, fingerprint: str) -> None:
        """Take an alert out of a group."""
        if group := self.group(key):
            self.put_group(replace(group, alerts=tuple(member for member in group.alerts if member != fingerprint)))

    # -- debts -----------------------------------------------------------------------------------------------------

    def rows_about(self, fingerprint: str) -> list[Notification]:
        """Return the open debts about an alert, the oldest first."""
        rows = self._known({*self.telling.ids_about(fingerprint), *self._rows_by.get(fingerprint, ())})
        return [row for row in rows if row.settlement.open and fingerprint in row.alerts]

    def rows_in(self, group: str) -> list[Notification]:
        """Return a group's open debts, the oldest first."""
        rows = self._known({*self.telling.ids_in(group), *self._rows_by.get(group, ())})
        return [row for row in rows if row.settlement.open]

    def _known(self, ids: set[str]) -> Iterator[Notification]:
        return (self._rows.get(id_) or self.telling.open[id_] for id_ in sorted(ids))

    def put_row(self, row: Notification) -> None:
        """Change a debt."""
        was = self._rows.get(row.id) or self.telling.open.get(row.id)
        self._rows[row.id] = row
        self.touched[row.group] = None
        if was is None:
            self._rows_by[row.group][row.id] = None
        for fingerprint in row.alerts[len(was.alerts) if was else 0 :]:  # alerts only ever join at the end
            self._rows_by[fingerprint][row.id] = None

    def owe(self, notifier: str, group: str, alert: Alert, reason: Reason, due_at: datetime) -> None:
        """Owe a notifier word of an alert; it joins what is not sealed yet, else it is a new debt."""
        fingerprint, severity = alert.fingerprint, severity_of(alert) or Severity.INFO
        self.say(fingerprint, f"{notifier} is told: {reason}" + _in(due_at, self.now))
        row = next((row for row in self.rows_in(group) if row.notifier == notifier and not row.sealed), None)
        if row is None:
            self.put_row(
                Notification(
                    id=self.new_id(notifier, group),
                    notifier=notifier,
                    group=group,
                    reason=reason,
                    alerts=(fingerprint,),
                    severity=severity,
                    created_at=self.now,
                    due_at=due_at,
                    next_at=due_at,
                )
            )
            return
        due_at = min(row.due_at, due_at)
        self.put_row(
            replace(
                row,
                reason=min(row.reason, reason, key=PRESSING.__getitem__),
                alerts=row.alerts if fingerprint in row.alerts else (*row.alerts, fingerprint),
                severity=max(row.severity, severity),
                due_at=due_at,
                next_at=row.next_at if row.tries else due_at,
            )
        )

    def take_back(self, row: Notification, fingerprint: str, why: str) -> None:
        """Take an alert out of a debt that was never leased; a debt about nothing else is withdrawn."""
        self.say(fingerprint, f"{row.notifier} is not told: {why}")
        rest = tuple(other for other in row.alerts if other != fingerprint)
        if not rest:
            self.put_row(replace(row, settlement=Settlement.WITHDRAWN, why=why, next_at=None))
        else:
            self.put_row(self.restate(replace(row, alerts=rest)))

    def restate(self, row: Notification) -> Notification:
        """Return a debt with the reason and severity that its alerts give it as they stand now."""
        alerts = [alert for fingerprint in row.alerts if (alert := self.alert(fingerprint))]
        return replace(
            row,
            reason=min((self._reason(row, alert) for alert in alerts), key=PRESSING.__getitem__, default=row.reason),
            severity=max((severity_of(alert) or Severity.INFO for alert in alerts), default=row.severity),
        )

    def _reason(self, row: Notification, alert: Alert) -> Reason:
        heard = self.told(alert.fingerprint).get(row.notifier)
        if alert.severity is None:
            return Reason.RESOLVED if heard else Reason.FIRING
        if heard is None or heard.severity is None:
            return Reason.FIRING
        if heard.severity < alert.severity:
            return Reason.ROSE
        return Reason.UPDATED if row.reason in (Reason.RESOLVED, Reason.ROSE) else row.reason

    def new_id(self, notifier: str, group: str) -> str:
        """Return an id that sorts by time; the serial keeps two of one instant apart."""
        made_of = f"{notifier}\n{group}\n{self.telling.serial}\n{len(self._rows)}"
        return f"{int(self.now.timestamp() * 1_000_000):016d}-{hashlib.sha256(made_of.encode()).hexdigest()[:12]}"

    # -- the end ---------------------------------------------------------------------------------------------------

    def routed(self) -> Routed:
        """Return what was decided, the groups that are over found."""
        removed = [key for key in self.touched if self._is_over(key)]
        return Routed(
            groups=tuple(
                group
                for key, group in self._groups.items()
                if key not in removed and group != self.telling.groups.get(key)
            ),
            removed_groups=tuple(key for key in removed if key in self.telling.groups),
            notifications=tuple(row for id_, row in self._rows.items() if row != self.telling.open.get(id_)),
            forgotten=tuple(self.forgotten),
            held=self._held,
            timers=self.timers | dict.fromkeys(removed, None),
            reasons={fingerprint: tuple(said) for fingerprint, said in self._reasons.items()},
        )

    def _is_over(self, key: str) -> bool:
        group = self.group(key)
        return (
            group is not None
            and not group.alerts
            and not self.rows_in(key)
            and all(fingerprint in self.forgotten for _, fingerprint in self.telling.told_in(key))
        )


def overlay(transitions: Iterable[Transition], refreshed: Iterable[Alert]) -> dict[str, Alert]:
    """Return the alerts that a round's evaluations changed, each as it is after them."""
    changed = {alert.fingerprint: alert for alert in refreshed}
    return changed | {transition.alert.fingerprint: transition.alert for transition in transitions}


def _in(due_at: datetime, now: datetime) -> str:
    return f" in {(due_at - now).total_seconds():.0f} s" if due_at > now else ""
