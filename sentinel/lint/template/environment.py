"""template/environment: a Prometheus rule file should not wait for the environment.

Why
    Rule files mean here what they mean there, and Prometheus fills in no `${NAME}`: a matcher with one fits no series,
    and a message shows it as it stands.

Bad
    - alert: Down
      expr: up{env="${ENV}"} == 0
      labels: {severity: critical}

Good
    - alert: Down
      expr: up{env="production"} == 0
      labels: {severity: critical}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.config.offsets import place
from sentinel.config.tree import Node, ScalarNode
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING

_REFERENCE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?::?[-=?+][^}]*)?\}")
_FIX = "write its value, or fill the file in before it is read; under rules: it would be filled in"


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag references in the texts of rule files; those to a group of a regular expression are none."""
    if rule.kind == "rule":
        return
    for node in _texts(rule):
        if "${" not in node.text:
            continue
        for found in _REFERENCE.finditer(node.text):
            if f"?P<{found[1]}>" not in node.text:
                says = f"{found.group()} is not filled in: rule files are read as Prometheus reads them"
                yield Flaw(place(node, *found.span()), says, _FIX)


def _texts(rule: RuleView) -> Iterator[ScalarNode]:
    """Yield the expression, the labels and the annotations."""
    nodes: list[Node | None] = [rule.find("expr")]
    nodes += [rule.find("labels", name) for name in rule.labels] + [
        rule.find("annotations", name) for name in rule.texts
    ]
    yield from (node for node in nodes if isinstance(node, ScalarNode))
