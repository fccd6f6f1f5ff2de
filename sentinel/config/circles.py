"""Circles: rules that wait for one another, so that nobody is told of any; and notifiers that fall back so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sentinel.config.build import Builder
from sentinel.config.read import Found, locate
from sentinel.config.tree import Node
from sentinel.notifiers.notifier import Notifier
from sentinel.rules.rule import Rule


def check_circles(builder: Builder, rules: Mapping[str, Rule]) -> None:
    """Refuse a `depends_on` that leads back to where it began; each circle once, with every place that closes it."""
    for circle in _circles({name: rule.depends_on for name, rule in rules.items()}):
        first, *others = [
            (one, cause, _place(builder, rules[one], cause))
            for one, cause in zip(circle, [*circle[1:], circle[0]], strict=True)
        ]
        where = ", ".join(f"{one} names {cause} at {node.position}" for one, cause, node in others)
        says = f'"{circle[0]}" depends on itself: {" -> ".join([*circle, circle[0]])}'
        builder.reader.findings.add("rule/depends-on", first[2], says, f"drop one of them: {where}")


def check_fallbacks(builder: Builder, notifiers: Mapping[str, Notifier]) -> None:
    """Refuse fallbacks that lead back to where they began: what no notifier takes would go round among them."""
    fallbacks = {name: (notifier.fallback,) for name, notifier in notifiers.items() if notifier.fallback}
    for circle in _circles(fallbacks):
        entry = builder.gathered.of("notifiers")[circle[0]]
        says = f'"{circle[0]}" falls back on itself: {" -> ".join([*circle, circle[0]])}'
        fix = "let the last of them have none: what it does not take is a dead letter, which is told"
        builder.reader.findings.add(
            "notifier/fallback", locate(Found(entry.node, entry.key), ("fallback",)).node, says, fix
        )


def _circles(ways: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield each circle of more than one name once, from where it is met first."""
    found: set[frozenset[str]] = set()
    for name in ways:
        circle = _circle(name, ways)
        if len(circle) > 1 and frozenset(circle) not in found:
            found.add(frozenset(circle))
            yield circle


def _circle(name: str, causes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a shortest way from a name back to itself, without its end; empty where there is none."""
    ways = [[name]]
    reached: set[str] = set()
    for way in ways:
        for cause in causes.get(way[-1], ()):
            if cause == name:
                return way
            if cause not in reached:
                reached.add(cause)
                ways.append([*way, cause])
    return []


def _place(builder: Builder, rule: Rule, cause: str) -> Node:
    entry = builder.gathered.of("rules")[rule.name]
    return locate(Found(entry.node, entry.key), ("depends_on", rule.depends_on.index(cause))).node
