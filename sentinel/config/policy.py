"""Policy: routes, mutes and inhibitions, and whether the notifiers that they name are there."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel.config.build import Builder
from sentinel.config.circles import check_circles, check_fallbacks
from sentinel.config.entries import InhibitKeys, MuteKeys, RouteKeys
from sentinel.config.gather import Entry
from sentinel.config.read import Found, locate
from sentinel.config.tree import MappingNode, SequenceNode
from sentinel.core.problem import near
from sentinel.notifiers.notifier import Notifier
from sentinel.routing.match import Match
from sentinel.routing.route import Escalation, Inhibition, Mute, Policy, Route
from sentinel.rules.rule import Rule


def build_policy(
    builder: Builder, notifiers: Mapping[str, Notifier], rules: Mapping[str, Rule], *, complete: bool
) -> Policy:
    """Return the policy; what is wrong is reported.

    Args:
        builder: what reads and reports.
        notifiers: all that could be read.
        rules: likewise.
        complete: whether the whole tree is known, so that a name that is not there is wrong.
    """
    routes = _routes(builder)
    mutes = [
        Mute(entry.name, keys.match, keys.during, keys.reason, entry.key.position)
        for entry in builder.gathered.of("mutes").values()
        if (keys := builder.plain(MuteKeys, entry))
    ]
    inhibitions = [
        Inhibition(entry.name, keys.cause, keys.covers, keys.equal, entry.key.position)
        for entry in builder.gathered.of("inhibit").values()
        if (keys := builder.plain(InhibitKeys, entry))
    ]
    check_circles(builder, rules)
    check_fallbacks(builder, notifiers)
    inhibitions += [_dependence(rule) for rule in rules.values() if rule.depends_on]
    if complete:
        _check_catch_all(builder)
        _check_names(builder)
    return Policy(
        routes=tuple(routes),
        notifiers=tuple(notifiers),
        mutes=tuple(mutes),
        inhibitions=tuple(inhibitions),
        fallbacks={name: notifier.fallback for name, notifier in notifiers.items() if notifier.fallback},
        editors=frozenset(name for name, notifier in notifiers.items() if notifier.kind.edits),
        renewals={name: notifier.kind.renews for name, notifier in notifiers.items() if notifier.kind.renews},
    )


def _routes(builder: Builder) -> list[Route]:
    """Return the routes as they are tried: in the order of the files, the one without `match` last."""
    entries = sorted(builder.gathered.of("routes").values(), key=_takes_the_rest)
    return [_route(entry, keys) for entry in entries if (keys := builder.plain(RouteKeys, entry))]


def _takes_the_rest(entry: Entry) -> bool:
    return not (isinstance(entry.node, MappingNode) and "match" in entry.node.values)


def _route(entry: Entry, keys: RouteKeys) -> Route:
    return Route(
        name=entry.name,
        match=keys.match or Match(),
        notify=keys.notify,
        group_by=keys.group_by,
        group_wait=keys.group_wait,
        group_interval=keys.group_interval,
        repeat=keys.repeat,
        escalate=tuple(sorted((Escalation(one.after, one.notify) for one in keys.escalate), key=lambda one: one.after)),
        continue_=keys.continue_,
        position=entry.key.position,
    )


def _dependence(rule: Rule) -> Inhibition:
    """Return `depends_on` as the inhibition that it stands for."""
    cause = Match.of({"rule": rule.depends_on})
    return Inhibition(f"{rule.name} depends on", cause, Match.of({"rule": rule.name}), position=rule.position)


def _check_catch_all(builder: Builder) -> None:
    """Look whether exactly one route takes what no other took."""
    entries = list(builder.gathered.of("routes").values())
    takes_all = [
        entry for entry in entries if not (isinstance(entry.node, MappingNode) and "match" in entry.node.values)
    ]
    for entry in takes_all[1:]:
        says = f'"{entry.name}" has no match, and "{takes_all[0].name}" takes what no other took already'
        builder.reader.findings.add("route/catch-all", entry.key, says, "add a match, or remove one of them")
    if entries and not takes_all:
        fix = "add one without match: everything-else: {notify: [...]}"
        builder.reader.findings.add("route/catch-all", entries[-1].key, "no route takes what no other took", fix)


def _check_names(builder: Builder) -> None:
    """Look whether each notifier that a route, an escalation or a fallback names is there."""
    for entry in builder.gathered.of("routes").values():
        _check_notifiers(builder, entry, "notify")
        steps = locate(Found(entry.node), ("escalate",)).node
        for at in range(len(steps.items) if isinstance(steps, SequenceNode) else 0):
            _check_notifiers(builder, entry, "escalate", at, "notify")
    for entry in builder.gathered.of("notifiers").values():
        _check_notifiers(builder, entry, "fallback")


def _check_notifiers(builder: Builder, entry: Entry, *path: str | int) -> None:
    found = locate(Found(entry.node), path)
    if found.key is None or found.key.text != path[-1]:
        return
    known = set(builder.gathered.of("notifiers"))
    for node in found.node.items if isinstance(found.node, SequenceNode) else (found.node,):
        name = builder.reader.text(node)
        if name and name == entry.name and entry.section == "notifiers":
            builder.reader.findings.add("notifier/fallback", node, f'"{name}" is its own fallback', "name another")
        elif name and name not in known:
            fix = near(name, known, "there are") or "define it under notifiers:"
            builder.reader.findings.add(f"{entry.what}/notifier", node, f'no notifier is named "{name}"', fix)
