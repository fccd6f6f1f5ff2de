"""promql/not-a-pattern: an equality should not be given a pattern.

Why
    `=` compares letter by letter. A label whose value is `shop|stock` or `5..` there is none of, so the selector is
    empty, and `!=` excludes nothing.

Bad
    - alert: Down
      expr: up{job="shop|stock"} == 0
      labels: {severity: critical}

Bad too
    sum(rate(http_requests_total{code="5.."}[5m])) > 1
    up{job!="shop.*"} == 0

Good
    - alert: Down
      expr: up{job=~"shop|stock"} == 0
      labels: {severity: critical}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.labels import Matcher, MatchOp
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.promql.regexp import place
from sentinel.lint.view import RuleView

SEVERITY = Severity.WARNING

#: What hardly any value holds, and every second pattern does.
_PATTERN = re.compile(r"\.[*+]|\w\|\w|^\^|\w\$$|^[1-5]\.\.$|^[1-5]\\d\\d$|\[[0-9a-z]-[0-9a-z]\]")
#: A star for anything, as in names of files; in a path it may be the name of a route.
_GLOB = re.compile(r"[\w.-]*\*|\*[\w.-]+")
_REGULAR = {MatchOp.EQUAL: "=~", MatchOp.NOT_EQUAL: "!~"}


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag = and != beside what can only be meant as a regular expression."""
    for query in rule.queries:
        for selector in query.selectors:
            for matcher in selector.matchers:
                if matcher.op in _REGULAR and matcher.name != "__name__" and (better := _meant(matcher)):
                    where, edit = place(query, selector, matcher, better)
                    says = f"{matcher} compares letter by letter, and {matcher.value} is a pattern"
                    yield Flaw(query.part(*where), says, f"write {better}", edit)


def _meant(matcher: Matcher) -> str:
    """Return the condition that was meant, "" where it stands there."""
    value, op = matcher.value, _REGULAR[matcher.op]
    if _PATTERN.search(value):
        return f'{matcher.name}{op}"{value}"' if "\\" not in value else ""
    return f'{matcher.name}{op}"{value.replace("*", ".*")}"' if _GLOB.fullmatch(value) else ""
