"""alert/no-text: an alert should say in words what is wrong.

Why
    Its name is all that the person woken by it gets. One sentence with the value and what is concerned is the
    difference between acting and looking.

Bad
    - alert: QueueLong
      expr: queue_depth > 100
      labels: {severity: warning}

Good
    - alert: QueueLong
      expr: queue_depth > 100
      labels: {severity: warning}
      annotations: {summary: "{{ $value }} messages wait in {{ $labels.queue }}"}
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.label.misplaced import TEXTS
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag alerts of Prometheus's without any annotation; ours make a sentence of rule, value and threshold."""
    if rule.kind == "alert" and not rule.texts and not _misspelt(rule):
        yield Flaw(rule.key, f"{rule.name} has no annotations: nobody is told what is wrong", "add a summary")


def _misspelt(rule: RuleView) -> bool:
    """Say whether there are some that cannot be read, or stand elsewhere, which is reported."""
    keys = rule.node.keys
    if not TEXTS.isdisjoint(rule.labels):
        return True
    return "annotations" in keys or "summary" in keys or any(map(_is_near, keys))


@lru_cache(maxsize=1024)
def _is_near(name: str) -> bool:
    return bool(near(name.lower(), {"annotations"}))
