"""alertmanager: receivers, routes, time intervals and inhibit rules of an `alertmanager.yml`.

What becomes what
    receivers            notifiers, one for each of their configs: Slack, e-mail and webhooks (in Alertmanager's
                         format) as such; PagerDuty, Opsgenie, Splunk On-Call, Pushover, Telegram, Discord, Teams,
                         Mattermost and incident.io as webhooks with a body
    route                routes, one after the other: the innermost first, each with the matchers of those around it;
                         where Alertmanager goes on after a match (`continue`), one that names all who hear of it
    matchers             `match`; of a regular expression the words that it stands for, with `*` for `.*`. Where that
                         takes more alerts, those behind the route hear of them as well; a mute or an inhibit rule is
                         left out, since it would hide them
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
from sentinel.exchange.matchers import MORE, Asked, Match, both, in_yaml, matchers_of

#: Timers by our word and Alertmanager's, and what it does where a route does not say them, in seconds.
_TIMERS = (
    ("group_wait", "group_wait", 30.0),
    ("group_interval", "group_interval", 300.0),
    ("repeat", "repeat_interval", 14_400.0),
)
#: More routes than these are no tree that a person reads; those behind a `continue` are then left out.
_MOST_ROUTES = 300


@dataclass(frozen=True)
class Path:
    """One way through the tree of routes: what an alert must be, and who hears of it.

    Args:
        match: conditions of the route and of those around it.
        notify: notifiers.
        keys: grouping and timers.
        given: the route.
        but: labels and their values of which a route's own way takes none, though they fit the match.
        exact: whether only alerts of its route fit.
    """

    match: Match
    notify: tuple[str, ...]
    given: Given
    keys: dict[str, Any] = field(default_factory=dict)
    but: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exact: bool = True


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
        self.shared = False

    def take(self) -> None:
        """Take over what there is."""
        if self.root.plain("templates"):
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
            self.shared = _goes_on(top)
            for path in self._reachable(self._paths(top, Asked(), {}, top=True)):
                self._write(path)
        for given in self.root.items("inhibit_rules"):
            self._inhibit(given)

    def _paths(self, route: Given, around: Asked, inherited: dict[str, Any], *, top: bool = False) -> list[Path]:
        """Return the ways through a route, in the order in which they are tried; the last is the route itself."""
        own = Asked() if top else matchers_of(self.draft, route)
        match, exact = both(around.match, own.match)
        if not exact:
            self.draft.note(route, f"beside the matchers of the routes around it, {MORE}")
        keys = inherited | self._keys(route)
        name = keys.get("receiver", "")
        if match is None:
            self.draft.note(route, "the route fits no alert that comes this far, and is left out")
            route.plain()
            return []
        asked = Asked(match, (*around.but, *own.but), around.exact and own.exact and exact)
        children = route.items("routes")
        self._hours(route, asked, bool(children))
        if name and name not in self.receivers:
            self.draft.note(route, f'receiver "{name}" is not there')
        mine = Path(match, self.receivers.get(name, ()), route, keys, own.but)
        found = self._siblings([(child, self._paths(child, asked, keys)) for child in children], mine)
        if own.exact and exact:
            return found
        self.draft.note(route, "takes more alerts than it should; those behind it hear of these as well")
        return [replace(path, exact=False) for path in found]

    def _siblings(self, below: Sequence[tuple[Given, list[Path]]], mine: Path) -> list[Path]:
        """Return the ways through routes beside one another, and behind them that of the route around them.

        1. Where a route goes on (`continue`), its ways are taken together with those behind it; where its match takes
           too much, too, and then also with that of the route around, since nobody should miss an alert by it.
        2. What it takes but for some values of a label is left to those behind it, which are tried first for these.
        """
        if not below:
            return [mine]
        (route, paths), behind = below[0], self._siblings(below[1:], mine)
        goes_on = route.flag("continue")
        found: list[Path] = []
        for path in paths:
            if goes_on or not path.exact:
                found += self._together(path, behind, mine)
            found.append(replace(path, exact=True))
        left = self._left(paths[-1], behind) if paths else []
        if len(left) + len(found) + len(behind) > _MOST_ROUTES and paths:
            says = "makes too many routes (continue, negations of several values); what is behind it is not told"
            self.draft.note(route, says)
            return [*(path for path in paths if path.exact), *behind]
        return [*left, *found, *behind]

    def _left(self, route: Path, behind: Sequence[Path]) -> list[Path]:
        """Return the ways of what fits a route's match and is none of its alerts."""
        found: list[Path] = []
        for label, values in route.but:
            left, exact = both(route.match, {label: values})
            for other in behind:
                match, all_said = both(left, other.match) if left is not None else (None, True)
                if not (exact and all_said):
                    self.draft.note(route.given, f'{label}!~"{"|".join(values)}": beside other matchers, {MORE}')
                if match is not None:
                    found.append(replace(other, match=match, but=()))
        return found

    def _together(self, path: Path, behind: Sequence[Path], around: Path) -> list[Path]:
        """Return the ways by which those are told, too, who are behind one that goes on.

        The route around hears only of what none of its routes takes.
        """
        found: list[Path] = []
        for other in behind:
            match, exact = both(path.match, other.match)
            if not exact:
                self.draft.note(other.given, f"beside the matchers of a route that goes on (continue), {MORE}")
            if match is None:
                continue
            notify, narrower = path.notify, path
            if other.given is not around.given or not path.exact:
                notify = tuple(dict.fromkeys((*path.notify, *other.notify)))
                narrower = path if len(path.match) > len(other.match) else other
            found.append(replace(narrower, match=match, notify=notify, but=(), exact=True))
        return found

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
        keys |= {key: route.seconds(key) for _, key, _ in _TIMERS if key in route}
        return keys

    def _write(self, path: Path) -> None:
        keys = path.keys
        entry: dict[str, Any] = {"notify": list(path.notify), "group_by": keys.get("group_by", [])}
        entry |= {ours: duration(keys.get(theirs, default)) for ours, theirs, default in _TIMERS}
        if path.match:
            # Where others are told already, of alerts of rule files only, which all have a name under this label.
            own = {"alertname": ("!",)} if self.draft.there.catch_all else {}
            self.draft.add("routes", self._name(path), {"match": in_yaml(own | path.match), **entry}, path.given)
        else:
            self.draft.tell_rest(entry, {"alertname": "!"}, path.given)

    def _name(self, path: Path) -> str:
        words = [one for values in path.match.values() for one in values[:1]]
        return "-".join(words) if any(word.strip("!*") for word in words) else "-".join(path.match)

    def _hours(self, route: Given, asked: Asked, has_children: bool) -> None:
        """Write mutes for the hours in which a route is quiet."""
        if asked.but or not asked.exact:
            for key in ("mute_time_intervals", "active_time_intervals"):
                if route.get(key):
                    self.draft.note(route.get(key), f"{key}: match cannot say of which alerts; nothing is muted")
                    route.get(key).plain()
            return
        match = asked.match
        for given in route.items("mute_time_intervals"):
            if (name := self._known(given)) is not None:
                self._mute(given, match, name, "muted in these hours", has_children)
        active = [name for given in route.items("active_time_intervals") if (name := self._known(given)) is not None]
        if active:
            given = route.get("active_time_intervals")
            name = active[0] if len(active) == 1 else self.draft.add("schedules", "-or-".join(active), active, given)
            self._mute(given, match, f"!{name}", "told in other hours only", has_children)

    def _known(self, given: Given) -> str | None:
        name = self.hours.get(given.text())
        if name is None:
            self.draft.note(given, f"{given.text()}: was not carried over, and mutes nothing")
        return name

    def _mute(self, given: Given, match: Match, during: str, reason: str, has_children: bool) -> None:
        if has_children or self.shared:
            self.draft.note(given, f"{during}: mutes an alert for all who hear of it, by whichever route")
        about = "-".join(one for values in match.values() for one in values)
        entry = {"match": in_yaml(match), "during": during, "reason": reason}
        self.draft.add("mutes", f"{during}-{about}", entry, given)

    def _inhibit(self, given: Given) -> None:
        cause = matchers_of(self.draft, given, "source_matchers", "source_match", "source_match_re")
        covers = matchers_of(self.draft, given, "target_matchers", "target_match", "target_match_re")
        equal = given.texts("equal")
        given.text("name")
        if given.get("sources"):
            given.plain("sources")
            self.draft.note(given, "sources: a cause is one alert; the inhibit rule is left out")
            return
        if cause.but or covers.but or not (cause.exact and covers.exact and cause.match):
            says = "says not which alert is the cause" if not cause.match else "match cannot say which alerts it means"
            self.draft.note(given, f"{says}; the inhibit rule is left out")
            return
        # Each of Alertmanager's alerts has a name; our own rules have none under this label, and would all be equal.
        named = {"alertname": ("!",)} if "alertname" in equal else {}
        entry: dict[str, Any] = {"cause": in_yaml(named | cause.match), "covers": in_yaml(covers.match)}
        entry |= {"equal": equal} if equal else {}
        first = [values[0] for values in cause.match.values()]
        self.draft.add("inhibit", f"behind-{'-'.join(first)}", entry, given)


def _goes_on(route: Given) -> bool:
    return any(child.flag("continue") or _goes_on(child) for child in route.items("routes"))
