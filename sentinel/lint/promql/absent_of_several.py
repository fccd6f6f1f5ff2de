"""promql/absent-of-several: absent() should ask for one thing.

Why
    absent() is there when nothing at all fits. Of several it says only that all of them are gone: while one is left,
    nobody hears of the others.

Bad
    - alert: Gone
      expr: absent(up{job=~"shop|stock"})
      for: 5m
      labels: {severity: critical}

Good
    - alert: Gone
      expr: absent(up{job="shop"}) or absent(up{job="stock"})
      for: 5m
      labels: {severity: critical}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.labels import MatchOp
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import MatrixSelector, VectorSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

#: Words between bars, which are names, and no pattern.
_LIST = re.compile(r"\(?[\w-]+(?:\|[\w-]+)+\)?")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag absent() and absent_over_time() of a list of names."""
    if not rule.alerts:
        return
    for query in rule.queries:
        for call in query.calls:
            if call.function not in ("absent", "absent_over_time"):
                continue
            inner = unwrap(call.args[0])
            selector = inner.selector if isinstance(inner, MatrixSelector) else inner
            for matcher in selector.matchers if isinstance(selector, VectorSelector) else ():
                if (
                    matcher.op is MatchOp.REGEX
                    and matcher.name in ("job", "instance")
                    and _LIST.fullmatch(matcher.value)
                ):
                    one, other = matcher.value.strip("()").split("|")[:2]
                    says = f"it is there only when all of {matcher.value} are missing at once"
                    fix = f'ask for each: {call.function}(…{matcher.name}="{one}"…) or {call.function}(…"{other}"…)'
                    yield Flaw(query.at(call), says, fix)
