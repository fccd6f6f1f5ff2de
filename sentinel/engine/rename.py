"""Rename: what says `was` keeps what is remembered under its earlier name.

The alerts of a rule, and those about a probe, get a new identity; who heard of them, and how, goes along. A notifier
keeps what it is owed and what it heard, a route its groups.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType

from sentinel.core.alert import Alert
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.notification import Group, Notification, Told
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.core.relabelling import Relabelling
from sentinel.engine.state import State
from sentinel.routing.telling import Telling
from sentinel.rules.grouped import Alerting
from sentinel.rules.rule import Rule

#: No other names.
NONE: Mapping[str, str] = MappingProxyType({})
UNCHANGED = Relabelling()


@dataclass(frozen=True, slots=True)
class Renaming:
    """What other names change, to be written before anything is decided under them.

    Args:
        names: of rules: earlier to present.
        labels: how the labels of series and alerts change.
        alerts: earlier fingerprint to an alert's rule and labels as they are called now.
        groups: earlier key to the group as it is called now: those whose key one of the names is part of.
        notifiers: their names, likewise.
    """

    names: Mapping[str, str]
    labels: Relabelling
    alerts: Mapping[str, tuple[str, Labels]]
    groups: Mapping[str, Group]
    notifiers: Mapping[str, str]

    def alert(self, one: Alert) -> Alert:
        """Return an alert under the present name."""
        rule, labels = self.alerts.get(one.fingerprint, (one.rule, one.labels))
        return replace(one, rule=rule, labels=labels)

    def group(self, one: Group) -> Group:
        """Return a group with its alerts as they are called now."""
        called = self.groups.get(one.key, one)
        return replace(one, key=called.key, route=called.route, labels=called.labels, alerts=self.all(one.alerts))

    def told(self, one: Told) -> Told:
        """Return what a notifier, as it is called now, heard of the alert as it is called now."""
        about, group = self.fingerprint(one.fingerprint), self.key(one.group)
        return replace(one, notifier=self.notifier(one.notifier), fingerprint=about, group=group)

    def notification(self, one: Notification) -> Notification:
        """Return a debt about the alerts as they are called now; words that are sealed stay, and are booked on them.

        So does its key, and the id that it was given.
        """
        content = one.content
        for earlier in self.alerts if one.digest else one.alerts:
            content = content.replace(earlier, self.fingerprint(earlier))
        return replace(
            one,
            notifier=self.notifier(one.notifier),
            group=self.key(one.group),
            alerts=self.all(one.alerts),
            content=content,
            fallback_of=self.notifier(one.fallback_of),
        )

    def acknowledgement(self, one: Acknowledgement) -> Acknowledgement:
        """Return an acknowledgement of the alert as it is called now."""
        return replace(one, fingerprint=self.fingerprint(one.fingerprint))

    def silence(self, one: Silence) -> Silence:
        """Return a silence that names rules and probes by their present names."""
        names = {"rule": self.names, "probe": self.labels.probes, "job": self.labels.jobs}
        present = {key: _named(value, names.get(key, NONE)) for key, value in one.match.items()}
        return replace(one, match=present) if present != one.match else one

    def fingerprint(self, one: str) -> str:
        """Return an alert's present fingerprint."""
        return fingerprint(*self.alerts[one]) if one in self.alerts else one

    def key(self, one: str) -> str:
        """Return a group's present key."""
        return self.groups[one].key if one in self.groups else one

    def notifier(self, one: str) -> str:
        """Return a notifier's present name."""
        return self.notifiers.get(one, one)

    def all(self, fingerprints: Iterable[str]) -> tuple[str, ...]:
        """Return the present ones of these fingerprints."""
        return tuple(map(self.fingerprint, fingerprints))

    def state(self, was: State, now: datetime) -> State:
        """Return the state under the present names; the one that was stays as it is."""
        telling = was.telling
        # Where there was another one of the present name, what is heard under it now is what the renamed one heard.
        told = sorted((one for heard in telling.told.values() for one in heard.values()), key=self._moves)
        state = State.load(
            now,
            alerts=map(self.alert, (*telling.alerts, *telling.alerts.ended.values())),
            groups=map(self.group, telling.groups.values()),
            notifications=map(self.notification, telling.open.values()),
            told=map(self.told, told),
            silences=map(self.silence, telling.silences.values()),
            acknowledgements=map(self.acknowledgement, telling.acknowledgements.values()),
        )
        self._go_on(telling, state.telling)
        state.evaluated = was.evaluated.difference(self.names)
        state.failures = {rule: why for rule, why in was.failures.items() if rule not in self.names}
        state.reasons = {self.fingerprint(one): why for one, why in was.reasons.items()}
        return state

    def _go_on(self, was: Telling, now: Telling) -> None:
        """Let what is not in any row be as it was: what waits, and until when."""
        for name, at in was.timers:
            now.timers.set(self.key(self.fingerprint(name)), at)
        now.held = {self.fingerprint(one): held for one, held in was.held.items()}
        now.heard = {self.fingerprint(one): set(map(self.notifier, heard)) for one, heard in was.heard.items()}
        now.settled_groups |= {self.key(key) for key in was.settled_groups}
        now.returned = set(was.returned)
        now.unconfirmed = set(self.all(was.unconfirmed))
        now.anew, now.serial = True, was.serial

    def _moves(self, one: Told) -> bool:
        return one.notifier in self.notifiers


def rename(
    state: State,
    names: Mapping[str, str],
    notifiers: Mapping[str, str] = NONE,
    routes: Mapping[str, str] = NONE,
    labels: Relabelling = UNCHANGED,
    elsewhere: Collection[str] = (),
) -> Renaming | None:
    """Return what these other names change; None where nothing has one of the earlier ones.

    An alert that exists under the present name already stays what it is, and so does a group.

    Args:
        state: how the house stands.
        names: of rules: earlier to present.
        notifiers: their names, likewise.
        routes: their names, likewise.
        labels: how the labels of alerts change.
        elsewhere: rules whose alerts have the labels of another server.
    """
    telling = state.telling
    moved: dict[str, tuple[str, Labels]] = {}
    for alert in (*telling.alerts, *telling.alerts.ended.values()):
        rule = names.get(alert.rule, alert.rule)
        present = rule, alert.labels if rule in elsewhere else labels.labels(alert.labels)
        if present != (alert.rule, alert.labels) and telling.alerts.get(fingerprint(*present)) is None:
            moved[alert.fingerprint] = present
    renaming = Renaming(names, labels, moved, _groups(telling, names, labels, moved, routes), notifiers)
    silenced = any(renaming.silence(silence) is not silence for silence in telling.silences.values())
    owed = any(row.notifier in notifiers or row.fallback_of in notifiers for row in telling.open.values())
    heard = any(not notifiers.keys().isdisjoint(heard) for heard in telling.told.values())
    return renaming if moved or renaming.groups or silenced or owed or heard else None


def retitled(state: State, rules: Mapping[str, Rule]) -> dict[str, str]:
    """Return the other names that rules of rule files have since another one of the same alert came or went.

    As in Prometheus, such a rule is known again by the alert's name and its own labels.
    """
    known: dict[tuple[str, Labels], list[str]] = defaultdict(list)
    for rule in rules.values():
        if isinstance(rule, Alerting):
            known[rule.alert, Labels.of(rule.labels)].append(rule.name)
    others = [alert for alert in state.alerts if alert.rule not in rules]
    found = {alert.rule: known[alert.labels.get("alertname"), Labels.of(alert.rule_labels)] for alert in others}
    return {was: names[0] for was, names in found.items() if len(names) == 1}


def _named(given: str | tuple[str, ...], names: Mapping[str, str]) -> str | tuple[str, ...]:
    return names.get(given, given) if isinstance(given, str) else tuple(names.get(one, one) for one in given)


def _groups(
    telling: Telling,
    names: Mapping[str, str],
    relabelling: Relabelling,
    moved: Collection[str],
    routes: Mapping[str, str],
) -> dict[str, Group]:
    found: dict[str, Group] = {}
    taken = set(telling.groups)
    for group in telling.groups.values():
        route, labels = routes.get(group.route, group.route), group.labels
        if all(alert in moved for alert in group.alerts):
            rule = labels.get("rule")
            labels = relabelling.labels(labels.merge({"rule": names[rule]}) if rule in names else labels)
        key = f"{route}{labels}"
        if key not in taken:
            taken.add(key)
            found[group.key] = replace(group, key=key, route=route, labels=labels)
    return found
