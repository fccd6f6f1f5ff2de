"""label/misplaced: what belongs to the rule, or to its texts, should not stand among its labels.

Why
    Any name may be a label, so nobody objects: `for` among the labels is a word that waits for nothing, and a summary
    there becomes part of what the alert is.

Bad
    - alert: Down
      expr: up == 0
      labels: {severity: critical, for: 5m}

Bad too
    - alert: Down
      expr: up == 0
      labels: {severity: critical, summary: "the shop is down"}

Good
    - alert: Down
      expr: up == 0
      for: 5m
      labels: {severity: critical}
      annotations: {summary: "the shop is down"}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.config.tree import MappingNode
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING

_OF_THE_RULE = frozenset({"for", "keep_firing_for", "expr", "above", "below", "annotations", "labels"})
#: What rules say in words.
TEXTS = frozenset({"summary", "description", "message", "runbook", "runbook_url", "dashboard", "dashboard_url"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag labels whose names are keys of a rule, or of its texts, and which it lacks there."""
    labels, annotations = rule.find("labels"), rule.find("annotations")
    if rule.kind == "alert" and isinstance(annotations, MappingNode):
        for name, key in annotations.keys.items():
            if name in _OF_THE_RULE:
                says = f"{name} is an annotation here, and means nothing"
                yield Flaw(key, says, "indent it less: it belongs to the rule")
    if not rule.alerts or not isinstance(labels, MappingNode):
        return
    if (name_again := labels.keys.get("alertname")) is not None and rule.kind == "alert":
        yield Flaw(name_again, "alertname is what alert: says, whatever stands here", "drop it")
    for name, key in labels.keys.items():
        if name in _OF_THE_RULE:
            yield Flaw(key, f"{name} is a label here, and means nothing", "indent it less: it belongs to the rule")
        elif name in TEXTS and name not in rule.texts:
            where = "annotations:" if rule.kind == "alert" else "the rule, beside its labels"
            yield Flaw(key, f"{name} is a label here, and part of what the alert is", f"write it under {where}")
