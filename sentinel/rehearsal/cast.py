"""The cast of a test: the rules that matter, so that the others cost nothing.

A test that speaks of what is told, or of every rule, needs all of them: a group's other alerts, and causes, change when
somebody hears. Else an alert depends on nothing but its own rule and what rule files write.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from sentinel.config.cases import Case
from sentinel.config.config import Config
from sentinel.core.labels import NAME
from sentinel.rehearsal.stage import Cast
from sentinel.rules.grouped import Alerting, Recording, RuleGroup
from sentinel.rules.rule import Rule

#: What each alerting rule of a group writes.
_ALERTS = frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def cast_of(case: Case, config: Config) -> Cast:
    """Return who plays in a test."""
    named = rules_named(case)
    whole = case.keys.only or speaks_of_telling(case)
    own = {rule.name for rule in config.own_rules}
    playing = {name: rule for name, rule in config.rules.items() if name in named or (whole and name in own)}
    rules = [rule for rule in playing.values() if not isinstance(rule, Alerting)]
    asked = [one.query for one in case.keys.expect if one.query]
    groups = config.groups if whole or asked else needed(config.groups, playing.values())
    jobs = {name: config.probes[name] for name in case.keys.jobs if name in config.probes}
    return Cast(rules, groups, config.policy, config.notifiers, jobs)


def rules_named(case: Case) -> frozenset[str]:
    """Return the names of the rules that a test speaks of."""
    keys = case.keys
    words = [*(one.rule for one in keys.expect), *(one.rule for one in keys.alerts)]
    words += [one.rule for one in keys.acknowledge]
    return frozenset(name for word in words for name in case.rules.get(word or "", ()))


def speaks_of_telling(case: Case) -> bool:
    """Say whether a test expects somebody to hear something, or nothing."""
    return any(one.notified is not None or one.message is not None for one in case.keys.expect)


def needed(groups: Sequence[RuleGroup], rules: Collection[Rule]) -> tuple[RuleGroup, ...]:
    """Return the groups of these rules, and those that write what they read, and what those read."""
    names = {rule.name for rule in rules}
    chosen = {group.key for group in groups if any(rule.name in names for rule in group.rules)}
    reading: list[Rule | Recording] = [*rules, *_rules_in(groups, chosen)]
    while reading:
        wanted = [_metrics(rule) for rule in reading]
        fresh = {group.key for group in groups if any(_meet(one, _written(group)) for one in wanted)} - chosen
        chosen |= fresh
        reading = list(_rules_in(groups, fresh))
    return tuple(group for group in groups if group.key in chosen)


def _rules_in(groups: Iterable[RuleGroup], keys: Collection[str]) -> list[Alerting | Recording]:
    return [rule for group in groups if group.key in keys for rule in group.rules]


def _metrics(rule: Rule | Recording) -> frozenset[str]:
    """Return the metrics that a rule reads; "" among them is any."""
    matchers = [[m for m in read.matchers if m.name == NAME and m.op == "="] for read in rule.reads]
    return frozenset(found[0].value if found else "" for found in matchers)


def _written(group: RuleGroup) -> frozenset[str]:
    records = frozenset(rule.record for rule in group.rules if isinstance(rule, Recording))
    return records | _ALERTS if any(isinstance(rule, Alerting) for rule in group.rules) else records


def _meet(wanted: frozenset[str], written: frozenset[str]) -> bool:
    return "" in wanted or not wanted.isdisjoint(written)
