"""promql/label-replace: label_replace() should be given a pattern, and only groups that it has.

Why
    A pattern that cannot be read fails each evaluation, and the rule says nothing. A group that there is not is empty,
    so that the label is lost.

Bad
    - alert: Down
      expr: label_replace(up, "host", "$2", "instance", "(.*):.*") == 0
      labels: {severity: critical}

Bad too
    label_replace(up, "host", "$1", "instance", "(.*") == 0

Good
    - alert: Down
      expr: label_replace(up, "host", "$1", "instance", "(.*):.*") == 0
      labels: {severity: critical}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.regex import compile_pattern
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Text
from sentinel.promql.mistakes import pattern_meant

SEVERITY = Severity.ERROR

_NUMBER = re.compile(r"\$(?:\{(\d+)\}|(\d+)(?!\w))")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag patterns that are none, and numbers of groups that they have not."""
    for query in rule.queries:
        for call in query.calls:
            if call.function != "label_replace" or not all(isinstance(arg, Text) for arg in call.args[1:]):
                continue
            filled, pattern = call.args[2], call.args[4]
            assert isinstance(filled, Text)
            assert isinstance(pattern, Text)
            try:
                groups = compile_pattern(pattern.value).groups
            except ValueError as exc:
                says = f"not a regular expression: {exc}"
                yield Flaw(query.at(pattern), says, pattern_meant(pattern.value))
                continue
            wanted = max((int(one or other) for one, other in _NUMBER.findall(filled.value)), default=0)
            if wanted > groups:
                has = "one group" if groups == 1 else f"{groups or 'no'} groups"
                yield Flaw(
                    query.at(filled), f"${wanted} is empty: the pattern has {has}", "put ( ) around what is meant"
                )
