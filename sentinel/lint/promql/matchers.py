"""promql/matchers: the conditions of a selector should be able to hold together.

Why
    All conditions in braces must hold: a label that should be two things at once is neither, and the selector is empty
    for ever.

Bad
    - alert: Down
      expr: up{job="shop", job="stock"} == 0
      labels: {severity: critical}

Bad too
    up{job="shop", job=~"stock.*"} == 0
    up{job="shop", job!="shop"} == 0
    http_request_duration_seconds{quantile="99"} > 1

Good
    - alert: Down
      expr: up{job=~"shop|stock"} == 0
      labels: {severity: critical}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.labels import Matcher
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView

SEVERITY = Severity.ERROR

_HELD = {"le": "a number, or +Inf", "quantile": "a share such as 0.99"}


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a selector in which an equality excludes another condition on its label."""
    for query in rule.queries:
        for selector in query.selectors:
            known: dict[str, Matcher] = {}
            for matcher in selector.matchers:
                if better := _number_meant(matcher):
                    says = f"{matcher} fits nothing: {matcher.name} holds {_HELD[matcher.name]}"
                    yield Flaw(query.at(selector), says, f"write {better}")
                if matcher.op == "=":
                    known.setdefault(matcher.name, matcher)
            for matcher in selector.matchers if len(selector.matchers) > 1 else ():
                equal = known.get(matcher.name)
                if equal is not None and equal is not matcher and not matcher.matches(equal.value):
                    yield Flaw(query.at(selector), f"{equal} and {matcher} exclude each other", _fix(equal, matcher))
                    break


def _number_meant(matcher: Matcher) -> str:
    """Return the condition on a bound or a quantile that was meant, "" where it may hold."""
    if matcher.op != "=" or matcher.name not in _HELD or not matcher.value:
        return ""
    found = re.fullmatch(r"[pP]?(\d+(?:\.\d+)?)%?|\+?[iI][nN][fF]", matcher.value)
    if matcher.name == "le":
        return 'le="+Inf"' if found and not found[1] and matcher.value != "+Inf" else ""
    if found is None or not found[1] or (matcher.value == found[1] and float(found[1]) <= 1):
        return ""
    return f'quantile="{float(found[1]) / 100 if float(found[1]) > 1 else float(found[1]):g}"'


def _fix(equal: Matcher, other: Matcher) -> str:
    if other.op == "=":
        return f'for either of them write {equal.name}=~"{equal.value}|{other.value}"'
    return "keep one of them"
