"""template/value-in-label: a label should not hold the value.

Why
    Labels say which alert it is. One with the value in it is another alert at each evaluation: `for` never passes, and
    each look tells of one that ended and one that began.

Bad
    - alert: Queue
      expr: queue_depth > 100
      labels: {severity: warning, depth: "{{ $value }}"}

Good
    - alert: Queue
      expr: queue_depth > 100
      labels: {severity: warning}
      annotations: {summary: "{{ $value }} are waiting"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.texts import actions
from sentinel.lint.view import RuleView

SEVERITY = Severity.ERROR

_VALUE = re.compile(r"\$value\b|(?<![\w$)])\.Value\b|(?<![\w$.])(?:raw_)?value\b(?!\s*\()")
#: What makes a few words of many numbers.
_DECIDING = re.compile(r"\{\{-?\s*(?:if|else if)\b|\{%")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag labels into which the value is written; one that only decides between words is left alone."""
    for written in rule.templates:
        if not written.names_alert:
            continue
        for action in actions(written.text):
            found = _VALUE.search(written.text, *action.span())
            if found and "query" not in action.group() and not _DECIDING.match(action.group()):
                says = f"the label {written.key} holds the value: each new value is a new alert"
                yield Flaw(written.at(*found.span()), says, "write it into an annotation")
