"""Ours: the rules of our own language as checks see them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from sentinel.config.findings import Findings
from sentinel.config.gather import Entry
from sentinel.config.load import Inspection
from sentinel.config.tree import MappingNode, Node, ScalarNode
from sentinel.core.errors import QueryInvalid
from sentinel.lint.onefile import group_views
from sentinel.lint.view import GroupView, Query, RuleView
from sentinel.promql.parser import parse
from sentinel.rules import FORMS
from sentinel.rules.rule import Rule

#: Where forms keep PromQL, and what that is called.
_PROMQL = ("query", "of", "to", "errors", "total")
_NOTHING = timedelta()


def our_views(inspection: Inspection) -> dict[str, RuleView]:
    """Return the rules under `rules:` by name, those that stand in the tree and could be read."""
    found = {}
    for name, entry in inspection.builder.gathered.of("rules").items():
        rule = inspection.known.rules.get(name)
        if rule is not None and isinstance(entry.node, MappingNode) and entry.key.file.path in inspection.files:
            found[name] = _view(entry, entry.node, rule, inspection)
    return found


def our_groups(inspection: Inspection) -> list[GroupView]:
    """Return the groups in files that hold more than groups; what is wrong in them was said when they were loaded."""
    told = Findings()
    return [view for node in inspection.builder.gathered.groups for view in group_views(node, told)]


def _view(entry: Entry, node: MappingNode, rule: Rule, inspection: Inspection) -> RuleView:
    return RuleView(
        "rule",
        rule.name,
        node,
        entry.key,
        [] if rule.form.names else list(_queries(node, inspection)),  # a form that names probes has no PromQL
        form=rule.form_name,
        labels={**rule.labels, **({"owner": rule.owner} if rule.owner else {})},
        texts=rule.texts,
        levels=tuple(rule.thresholds),
        hold_for=max((patience.hold_for for patience in rule.patience.values()), default=_NOTHING),
        keep_firing_for=max((patience.keep_firing_for for patience in rule.patience.values()), default=_NOTHING),
        rule=rule,
    )


def _queries(node: MappingNode, inspection: Inspection) -> Iterator[Query]:
    word = next((name for name in node.keys if name in FORMS), None)
    if word is None:
        return
    under = node.values[word]
    if isinstance(under, ScalarNode):
        texts: list[tuple[str, Node]] = [(word, under)]
    elif isinstance(under, MappingNode):
        texts = [(name, under.values[name]) for name in _PROMQL if name in under.values]
    else:
        return
    for name, scalar in texts:
        if not isinstance(scalar, ScalarNode):
            continue
        filled = inspection.builder.reader.substitution.fill(scalar)
        try:
            tree = parse(filled.text)
        except QueryInvalid:
            continue
        key = "expr" if word == "expr" else ("of" if name == word else name)
        yield Query(tree, scalar, key, filled if filled.pieces else None)
