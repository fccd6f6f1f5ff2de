"""Circles: rules that depend on one another, so that each would wait for the others and nobody be told of any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel.config.build import Builder
from sentinel.config.read import Found, locate
from sentinel.config.tree import Node
from sentinel.rules.rule import Rule


def check_circles(builder: Builder, rules: Mapping[str, Rule]) -> None:
    """Refuse a `depends_on` that leads back to where it began; each circle once, with every place that closes it."""
    causes = {name: rule.depends_on for name, rule in rules.items()}
    found: set[frozenset[str]] = set()
    for name in causes:
        circle = _circle(name, causes)
        if len(circle) < 2 or frozenset(circle) in found:
            continue
        found.add(frozenset(circle))
        first, *others = [
            (one, cause, _place(builder, rules[one], cause))
            for one, cause in zip(circle, [*circle[1:], circle[0]], strict=True)
        ]
        where = ", ".join(f"{one} names {cause} at {node.position}" for one, cause, node in others)
        says = f'"{name}" depends on itself: {" -> ".join([*circle, name])}'
        builder.reader.findings.add("rule/depends-on", first[2], says, f"drop one of them: {where}")


def _circle(name: str, causes: Mapping[str, Sequence[str]]) -> list[str]:
    """Return a shortest way from a rule back to itself, without its end; empty where there is none."""
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
