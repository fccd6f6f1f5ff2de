"""Export: the rules of a tree as Prometheus rules, one for each severity; what PromQL cannot say is noted beside it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import groupby
from typing import Any

import yaml

from sentinel.config.config import Config
from sentinel.core.quantity import Quantity, format_duration
from sentinel.core.severity import Severity
from sentinel.exchange.gotext import go_text
from sentinel.exchange.note import Note
from sentinel.promql import (
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Operator,
    Paren,
    Subquery,
    ValueType,
    VectorSelector,
    parse,
    walk,
)
from sentinel.promql.write import write
from sentinel.rules.compose import joined
from sentinel.rules.grouped import Alerting, Recording, RuleGroup
from sentinel.rules.prometheus import INTERVAL
from sentinel.rules.rewrite import Looking, rewritten
from sentinel.rules.rule import LIMIT, Rule
from sentinel.rules.threshold import Threshold

#: What is otherwise for every rule, so that it is said once.
GENERAL = """\
Rules of Sentinel, as plain Prometheus rules. What is otherwise there:
- An alert that rises is two alerts, one for each severity; inhibit the lower by the higher in Alertmanager.
- Where data are missing, Prometheus resolves; Sentinel holds the state while a probe fails.
- increase() is extrapolated; Sentinel counts exactly, and a counter's first value from 0.
- A window that data do not cover yet is judged at once.
"""
#: Texts of a rule, and the annotations that Prometheus's users know them by.
_ANNOTATIONS = {
    "summary": "summary",
    "description": "description",
    "runbook": "runbook_url",
    "dashboard": "dashboard_url",
}
_OWN_METRICS = ("probe_", "job_", "sentinel_")


def export(config: Config, files: Collection[str]) -> tuple[str, list[Note]]:
    """Return a rule file of Prometheus with the rules in files of a tree, and what it does not say."""
    notes: list[Note] = []
    written = ["".join(f"# {line}\n" for line in GENERAL.splitlines()), "groups:\n"]
    own = [rule for rule in config.own_rules if rule.position.file in files and not isinstance(rule, Alerting)]
    names: set[str] = set()
    for file, rules in groupby(own, key=lambda rule: rule.position.file):
        blocks = [_commented(rule, notes) for rule in rules]
        if any(blocks):
            written += [_group({"name": _unique(file, names)}), *blocks]
    for group in (group for group in config.groups if group.file in files):
        head = {"name": _unique(group.name, names)} | _timing(group)
        written += [_group(head), *(_as_it_was(rule, notes) for rule in group.rules)]
    if len(written) == 2:
        written[1] = "groups: []\n"
    return "".join(written), notes


def _unique(name: str, names: set[str]) -> str:
    """Return a name that no other group of the file has."""
    free = next(one for n in range(1, len(names) + 2) if (one := name if n == 1 else f"{name} {n}") not in names)
    names.add(free)
    return free


def _timing(group: RuleGroup) -> dict[str, Any]:
    timing: dict[str, Any] = {"interval": _duration(group.interval)} if group.interval != INTERVAL else {}
    timing |= {"query_offset": _duration(group.query_offset)} if group.query_offset else {}
    return timing | ({"limit": group.limit} if group.limit else {})


def _group(head: Mapping[str, Any]) -> str:
    return _item(head, "  ") + "    rules:\n"


def _item(entry: Mapping[str, Any], indent: str) -> str:
    """Write a mapping as an item of a list."""
    text = yaml.dump(dict(entry), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)
    first, *others = text.splitlines()
    return "".join([f"{indent}- {first}\n", *(f"{indent}  {line}\n" if line else "\n" for line in others)])


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text.strip() and not any(line != line.rstrip() for line in text.split("\n")) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def _commented(rule: Rule, notes: list[Note]) -> str:
    """Write a rule's alerts, under comments that say what they do not."""
    shortfalls = list(_shortfalls(rule))
    alerts = [] if not rule.enabled else [_alert(rule, level, shortfalls) for level in sorted(rule.thresholds)]
    found = list(dict.fromkeys(shortfalls))
    notes.extend(Note(rule.position, f"{rule.name}: {says}") for says in found)
    comments = "".join(f"      # {' '.join(says.split())}\n" for says in found)
    return comments + "".join(_item(alert, "      ") for alert in alerts)


def _shortfalls(rule: Rule) -> Iterator[str]:
    """Iterate over what of a rule's own keys plain PromQL cannot say."""
    if not rule.enabled:
        until = f" until {rule.until:%Y-%m-%d %H:%M} UTC" if rule.until else ""
        yield f"{rule.name} is switched off{until}, and left out"
        return
    if rule.depends_on:
        causes = " and ".join(rule.depends_on)
        yield f"depends_on: inhibit {rule.name} by {causes} in Alertmanager"
    if rule.active is not None:
        yield "active: judged at all hours; give its route active_time_intervals in Alertmanager"
    if rule.source:
        yield f"source: asks this Prometheus, not the server of the probe {rule.source}"
    if rule.limit != LIMIT:
        yield f"limit: {rule.limit} is for one rule; Prometheus knows one for a group"
    if rule.no_data == "hold" and rule.compiled.waits:
        yield "is judged before data cover its whole window"
    if any(threshold.recover is not None for threshold in rule.thresholds.values()):
        yield "recover: held by Prometheus's own series ALERTS, one evaluation late"
    own = sorted({one.name for one in _selectors(rule) if one.name.startswith(_OWN_METRICS)})
    if own:
        yield f"reads what Sentinel measures: {', '.join(own)} must come into Prometheus"


def _selectors(rule: Rule) -> Iterator[VectorSelector]:
    for expr in (rule.compiled.expr, *rule.compiled.own.values()):
        for node in walk(expr):
            if isinstance(node, VectorSelector):
                yield node
            elif isinstance(node, MatrixSelector):
                yield node.selector


def _alert(rule: Rule, level: Severity, shortfalls: list[str]) -> dict[str, Any]:
    """Return one alerting rule: one severity of a rule."""
    labels = {**rule.labels, **({"owner": rule.owner} if rule.owner else {}), "severity": str(level)}
    alert: dict[str, Any] = {"alert": rule.name, "expr": write(_condition(rule, level, labels))}
    patience = rule.patience[level]
    alert |= {"for": _duration(patience.hold_for)} if patience.hold_for else {}
    alert |= {"keep_firing_for": _duration(patience.keep_firing_for)} if patience.keep_firing_for else {}
    alert["labels"] = {name: text.replace("{{", '{{ "{{" }}') for name, text in labels.items()}
    annotations = {_ANNOTATIONS[key]: go_text(key, text, rule, level, shortfalls) for key, text in rule.texts.items()}
    return alert | ({"annotations": annotations} if annotations else {})


def _condition(rule: Rule, level: Severity, labels: Mapping[str, str]) -> Expr:
    """Return what is the case where the alert fires."""
    compiled, threshold = rule.compiled, rule.thresholds[level]
    if (own := compiled.own.get(level)) is not None:
        return plainly(own)
    value = plainly(compiled.expr)
    value = Call("vector", (value,)) if value.type is ValueType.SCALAR else value
    case = _beyond(value, threshold, compiled.scale)
    if threshold.recover is not None and not threshold.bare:
        case = joined(case, Operator.OR, Paren(_not_yet_over(value, rule, threshold, labels)))
    if compiled.events is None:
        return case
    enough = joined(_inner(plainly(compiled.events)), Operator.GREATER_EQUAL, Number(compiled.at_least))
    return joined(Paren(case), Operator.AND, enough)


def _beyond(value: Expr, threshold: Threshold, scale: float) -> Expr:
    """Compare a value with one side of a threshold, or with both of a band."""
    above = Operator.GREATER_EQUAL if threshold.inclusive else Operator.GREATER
    below = Operator.LESS_EQUAL if threshold.inclusive else Operator.LESS
    sides = [
        joined(_inner(value), op, _number(limit, scale))
        for limit, op in ((threshold.above, above), (threshold.below, below))
        if limit is not None
    ]
    if not sides:
        return value
    return sides[0] if len(sides) == 1 else joined(sides[0], Operator.OR, sides[1])


def _not_yet_over(value: Expr, rule: Rule, threshold: Threshold, labels: Mapping[str, str]) -> Expr:
    """Return what is not beyond the threshold any more, and not yet back where a firing alert is over."""
    assert threshold.recover is not None
    side = Operator.GREATER if threshold.above else Operator.LESS
    between = write(joined(_inner(value), side, _number(threshold.recover, rule.compiled.scale)))
    ignored = ", ".join(sorted({"alertname", "alertstate", *labels}))
    told = f'ALERTS{{alertname="{rule.name}", alertstate="firing", severity="{labels["severity"]}"}}'
    return parse(f"{between} and ignoring ({ignored}) {told}")


def _inner(value: Expr) -> Expr:
    """Return a value that can stand on a side of a comparison."""
    arithmetic = {Operator.ADD, Operator.SUB, Operator.MUL, Operator.DIV, Operator.MOD, Operator.POW}
    return Paren(value) if isinstance(value, Binary) and value.op not in arithmetic else value


def _number(limit: Quantity, scale: float) -> Number:
    return Number(float(f"{limit.value * scale:.12g}"))  # 29, where 0.29 * 100 is 28.999999999999996


def plainly(expr: Expr) -> Expr:
    """Return an expression that every Prometheus reads: nothing is anchored in it."""

    def plain(node: Looking) -> Expr:
        if isinstance(node, MatrixSelector):
            return replace(node, anchored=False)
        return replace(node, expr=plainly(node.expr)) if isinstance(node, Subquery) else node

    return rewritten(expr, plain)


def _as_it_was(rule: Alerting | Recording, notes: list[Note]) -> str:
    """Write a rule of a group; its texts are Prometheus's own already."""
    query = plainly(rule.query)
    comment = ""
    if query != rule.query:
        notes.append(Note(rule.position, f"{rule.name}: counts by Prometheus's increase, not anchored"))
        comment = f"      # {rule.name} counts by Prometheus's increase, not anchored\n"
    if isinstance(rule, Recording):
        entry: dict[str, Any] = {"record": rule.record, "expr": write(query)}
        return comment + _item(entry | ({"labels": dict(rule.own_labels)} if rule.own_labels else {}), "      ")
    patience = next(iter(rule.patience.values()))
    entry = {"alert": rule.alert, "expr": write(query)}
    entry |= {"for": _duration(patience.hold_for)} if patience.hold_for else {}
    entry |= {"keep_firing_for": _duration(patience.keep_firing_for)} if patience.keep_firing_for else {}
    entry |= {"labels": dict(rule.own_labels)} if rule.own_labels else {}
    return comment + _item(entry | ({"annotations": dict(rule.annotations)} if rule.annotations else {}), "      ")


def _duration(duration: timedelta) -> str:
    return format_duration(max(duration, timedelta(milliseconds=1)))
