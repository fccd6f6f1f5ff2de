"""Groups: rules of Prometheus rule files become rules of ours. Nothing in them is substituted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace

from sentinel.config.findings import Findings
from sentinel.config.provenance import Provenance
from sentinel.config.rulefile import WrittenGroup, WrittenRule, read_groups
from sentinel.config.tree import Node
from sentinel.core.alert import Origin, Patience
from sentinel.core.labels import Labels
from sentinel.promql import Expr
from sentinel.rules.expr import ExprForm, compile_query
from sentinel.rules.form import Setting
from sentinel.rules.grouped import Alerting, Recording, RuleGroup
from sentinel.rules.threshold import Threshold


def build_groups(
    nodes: Iterable[Node], taken: Collection[str], findings: Findings, provenance: Provenance, agent: str
) -> tuple[RuleGroup, ...]:
    """Return the groups; what is wrong is reported.

    Args:
        nodes: what stands under `groups:`, in the order of the files.
        taken: names that other rules of the tree have.
        findings: takes what is wrong.
        provenance: of the tree, for each rule's origin.
        agent: name of the agent.
    """
    written = [group for node in nodes for group in read_groups(node, findings)]
    return tuple(_named_apart([_group(group, provenance, agent) for group in written], list(taken)))


def _named_apart(groups: Sequence[RuleGroup], taken: Sequence[str]) -> Iterator[RuleGroup]:
    """Give each rule a name of its own: that of its alert or series, where it is not the only one with its labels."""
    rules = [rule for group in groups for rule in group.rules]
    count = Counter(map(_title, rules)) + Counter(taken)
    seen = Counter(taken)
    for group in groups:
        named: list[Alerting | Recording] = []
        for rule in group.rules:
            name = _title(rule)
            if count[name] > 1:
                name += str(Labels.of(rule.own_labels)) if rule.own_labels else ""
            seen[name] += 1
            named.append(replace(rule, name=name if seen[name] == 1 else f"{name}#{seen[name]}"))
        yield replace(group, rules=tuple(named))


def _title(rule: Alerting | Recording) -> str:
    return rule.alert if isinstance(rule, Alerting) else rule.record


def _group(group: WrittenGroup, provenance: Provenance, agent: str) -> RuleGroup:
    rules = tuple(
        _alerting(rule, rule.query, group, provenance, agent)
        if rule.kind == "alert"
        else Recording(rule.name, rule.name, rule.query, rule.labels, rule.key.position)
        for rule in group.rules
        if rule.query is not None
    )
    file = group.node.file.path
    return RuleGroup(group.name, file, rules, group.interval, group.query_offset, group.limit, group.node.position)


def _alerting(rule: WrittenRule, query: Expr, group: WrittenGroup, provenance: Provenance, agent: str) -> Alerting:
    compiled = compile_query(query, rule.expr.text, Setting())
    patience = Patience(rule.hold_for, rule.keep_firing_for)
    position, literal = rule.key.position, {k: v for k, v in rule.labels.items() if "{{" not in v}
    return Alerting(
        name=rule.name,
        form_name="expr",
        form=ExprForm(query=rule.expr.text),
        compiled=compiled,
        thresholds=dict.fromkeys(rule.levels, compiled.thresholds.get(None, Threshold())),
        patience=dict.fromkeys(rule.levels, patience),
        no_data="resolve",
        labels=literal,
        owner=literal.get("owner", ""),
        position=position,
        origin=Origin(position.file, position.line, provenance.commit, provenance.author),
        agent=agent,
        alert=rule.name,
        query=query,
        own_labels=rule.labels,
        annotations=rule.annotations,
        query_offset=group.query_offset,
    )
