"""alertmanager: receivers, routes, time intervals and inhibit rules of an `alertmanager.yml`.

What becomes what
    receivers            notifiers, one for each of their configs: Slack, e-mail and webhooks (in Alertmanager's
                         format) as such; PagerDuty, Opsgenie, Splunk On-Call, Pushover, Telegram, Discord, Teams,
                         Mattermost and incident.io as webhooks with a body
    route                routes, one after the other: the innermost first, each with the matchers of those around it;
                         where Alertmanager goes on after a match (`continue`), one that names all who hear of it
    matchers             `match`; of a regular expression the words that it stands for, with `*` for `.*`
    group_by and timers  likewise, Alertmanager's defaults spelled out; `alertname` is `rule` in `group_by`
    time_intervals       schedules; `mute_time_intervals` and `active_time_intervals` are mutes
    inhibit_rules        `inhibit`

Not carried over
    templates and texts (write them at the rule, or under `notifiers/templates`), `send_resolved: false` (who heard of
    an alert hears of its end), Slack's channel beside a webhook, `group_by: ['...']`, SNS, WeChat, Jira.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sentinel.exchange.alertmanager_receivers import Receivers
from sentinel.exchange.draft import Draft, duration
from sentinel.exchange.given import Given
from sentinel.exchange.intervals import schedule_of
from sentinel.exchange.matchers import MORE, Match, both, in_yaml, matchers_of

#: What Alertmanager does where a route does not say it, in seconds.
_TIMERS = {"group_wait": 30.0, "group_interval": 300.0, "repeat_interval": 14_400.0}
#: More routes than these are no tree that a person reads; `continue` is then kept as it is.
_MOST_ROUTES = 300


@dataclass(frozen=True)
class Path:
    """One way through the tree of routes: what an alert must be, and who hears of it.

    Args:
        match: conditions of the route and of those around it.
        notify: notifiers.
        keys: grouping and timers.
        given: the route.
    """

    match: Match
    notify: tuple[str, ...]
    keys: dict[str, Any] = field(default_factory=dict)
    given: Given | None = None


def take(draft: Draft, roots: list[Given]) -> None:
    """Write down what there is in configuration files of Alertmanager."""
    for root in roots:
        _File(draft, root).take()


class _File:
    """One configuration file."""

    def __init__(self, draft: Draft, root: Given) -> None:
        self.draft, self.root = draft, root
        self.receivers: dict[str, tuple[str, ...]] = {}
        self.hours: dict[str, str] = {}

    def take(self) -> None:
        """Take over what there is."""
        if self.root.get("templates"):
            self.draft.note(
                self.root.get("templates"), "templates: texts are written at rules, or under notifiers/templates"
            )
        self.receivers = Receivers(self.draft, self.root.get("global")).take(self.root.items("receivers"))
        for section in ("time_intervals", "mute_time_intervals"):
            for given in self.root.items(section):
                name = given.text("name")
                if hours := schedule_of(self.draft, given):
                    self.hours[name] = self.draft.add("schedules", name, hours, given)
        top = self.root.get("route")
        if top:
            paths = self._reachable(self._paths(top, {}, {}, top=True))
            for path in paths:
                self._write(path)
        for given in self.root.items("inhibit_rules"):
            self._inhibit(given)

    def _paths(self, route: Given, around: Match, inherited: dict[str, Any], *, top: bool = False) -> list[Path]:
        """Return the ways through a route, in the order in which they are tried; the last is the route itself."""
        own = matchers_of(self.draft, route)
        if top:
            own = {}
        match, exact = both(around, own)
        if not exact:
            self.draft.note(route, f"beside the matchers of the routes around it, {MORE}")
        keys = inherited | self._keys(route)
        name = keys.pop("receiver", "")
        keys["receiver"] = name
        if match is None:
            self.draft.note(route, "the route fits no alert that comes this far, and is left out")
            route.plain()
            return []
        children = route.items("routes")
        self._hours(route, match, bool(children))
        mine = Path(match, self.receivers.get(name, ()), keys, route)
        if name and name not in self.receivers:
            self.draft.note(route, f'receiver "{name}" is not there')
        below = [(self._paths(child, match, keys), child.flag("continue")) for child in children]
        return [*self._siblings(below), mine]

    def _siblings(self, below: Sequence[tuple[list[Path], bool]]) -> list[Path]:
        """Return the ways through routes beside one another: where one goes on, together with those behind it."""
        if not below:
            return []
        (paths, goes_on), others = below[0], self._siblings(below[1:])
        if not goes_on:
            return [*paths, *others]
        found: list[Path] = []
        for path in paths:
            for other in others:
                match, exact = both(path.match, other.match)
                if not exact and other.given:
                    self.draft.note(other.given, f"beside the matchers of a route that goes on (continue), {MORE}")
                if match is not None:
                    notify = tuple(dict.fromkeys((*path.notify, *other.notify)))
                    narrower = path if len(path.match) > len(other.match) else other
                    found.append(replace(narrower, match=match, notify=notify))
            found.append(path)
        if len(found) + len(others) > _MOST_ROUTES and paths and paths[0].given:
            self.draft.note(paths[0].given, "continue: makes too many routes; those behind it are not told as well")
            found = list(paths)
        return [*found, *others]

    def _reachable(self, paths: list[Path]) -> list[Path]:
        """Return the ways that an alert can come to: none behind one with the same conditions, or with none."""
        found: list[Path] = []
        for path in paths:
            if not any(path.match == other.match or not other.match for other in found):
                found.append(path)
        return found

    def _keys(self, route: Given) -> dict[str, Any]:
        keys: dict[str, Any] = {}
        if receiver := route.text("receiver"):
            keys["receiver"] = receiver
        if (by := route.get("group_by")).node is not None:
            labels = by.texts()
            if "..." in labels:
                self.draft.note(by, "group_by: ['...'] is not known: alerts of one rule make a group")
                labels = ["alertname"]
            keys["group_by"] = ["rule" if label == "alertname" else label for label in labels]
        for key in _TIMERS:
            if key in route:
                keys[key] = route.seconds(key)
        return keys

    def _write(self, path: Path) -> None:
        assert path.given is not None
        keys = path.keys
        entry: dict[str, Any] = {"match": in_yaml(path.match)} if path.match else {}
        entry |= {"notify": list(path.notify), "group_by": keys.get("group_by", [])}
        for ours, theirs in (
            ("group_wait", "group_wait"),
            ("group_interval", "group_interval"),
            ("repeat", "repeat_interval"),
        ):
            seconds = keys.get(theirs, _TIMERS[theirs])
            entry[ours] = duration(seconds)
        self.draft.add("routes", self._name(path), entry, path.given)

    def _name(self, path: Path) -> str:
        if not path.match:
            return "everything-else"
        words = [one for values in path.match.values() for one in values[:1]]
        return "-".join(words) if any(word.strip("!*") for word in words) else "-".join(path.match)

    def _hours(self, route: Given, match: Match, has_children: bool) -> None:
        """Write mutes for the hours in which a route is quiet."""
        for key, sign, why in (("mute_time_intervals", "", "muted"), ("active_time_intervals", "!", "told only")):
            for given in route.items(key):
                name = self.hours.get(given.text())
                if name is None:
                    self.draft.note(given, f"{given.text()}: was not carried over, and mutes nothing")
                    continue
                if has_children:
                    self.draft.note(given, f"{given.text()}: mutes what the routes below take as well")
                entry = {"match": in_yaml(match), "during": f"{sign}{name}", "reason": f"{why} in {given.text()}"}
                self.draft.add(
                    "mutes", f"{name}-{'-'.join(one for values in match.values() for one in values)}", entry, given
                )
        if len(route.items("active_time_intervals")) > 1:
            self.draft.note(route.get("active_time_intervals"), "several active intervals mute outside of each of them")

    def _inhibit(self, given: Given) -> None:
        cause = matchers_of(self.draft, given, "source_matchers", "source_match", "source_match_re")
        covers = matchers_of(self.draft, given, "target_matchers", "target_match", "target_match_re")
        equal = given.texts("equal")
        entry: dict[str, Any] = {"cause": in_yaml(cause), "covers": in_yaml(covers)}
        entry |= {"equal": equal} if equal else {}
        first = [values[0] for values in cause.values()] or ["cause"]
        self.draft.add("inhibit", f"behind-{'-'.join(first)}", entry, given)
