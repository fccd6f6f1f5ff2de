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
from itertools import islice

from sentinel.config.offsets import place
from sentinel.config.tree import ScalarNode
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING

#: So many of one text are told.
_MOST = 20
_REFERENCE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)(?::?[-=?+][^}]*)?\}")
_FIX = "write its value, or fill the file in before it is read; under rules: it would be filled in"


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag references in the texts of rule files; those to a group of a regular expression are none."""
    if rule.kind == "rule" or rule.node.file.text.find("${", rule.node.begin, rule.node.end) < 0:
        return
    for node in _texts(rule):
        for found in islice(_REFERENCE.finditer(node.text), _MOST):
            if f"?P<{found[1]}>" not in node.text:
                says = f"{found.group()} is not filled in: rule files are read as Prometheus reads them"
                yield Flaw(place(node, *found.span()), says, _FIX)


def _texts(rule: RuleView) -> Iterator[ScalarNode]:
    """Yield the expression, and the labels and annotations that may hold a reference."""
    given = {"labels": rule.labels, "annotations": rule.texts}
    paths = [(key, name) for key, texts in given.items() for name, text in texts.items() if "${" in text]
    nodes = (rule.find(*path) for path in [("expr",), *paths])
    yield from (node for node in nodes if isinstance(node, ScalarNode))
