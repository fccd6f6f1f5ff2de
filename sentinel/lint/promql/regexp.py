"""promql/regexp: a regular expression should be needed, and say what is meant.

Why
    Expressions are anchored at both ends already; one without a special sign is an equality, which is quicker and
    plainer; and a dot that is not escaped fits every sign.

Bad
    - alert: Down
      expr: up{job=~"shop"} == 0
      labels: {severity: critical}

Bad too
    up{job=~"^shop.*$"} == 0
    up{job=~".*"} == 0
    up{instance=~"db1.example.com:9100|db2.example.com:9100"} == 0
    up{job=~"shop-*"} == 0
    http_requests{code=~"5xx"} > 5

Good
    - alert: Down
      expr: up{job=~"shop.+", instance=~"db[12][.]example[.]com:9100"} == 0
      labels: {severity: critical}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from sentinel.core.labels import Matcher, MatchOp
from sentinel.core.problem import Edit
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import VectorSelector

SEVERITY = Severity.WARNING

_PATTERNS = (MatchOp.REGEX, MatchOp.NOT_REGEX)
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
#: A dot between letters or digits of what looks like a host: a.example.com.
_HOST = re.compile(r"(?:[a-z0-9-]+\.){2,}[a-z]{2,}(?![a-z*+?{])", re.IGNORECASE)
_EVERYTHING = frozenset({".*", "^.*$", "^.*", ".*$", "(.*)"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag patterns that are equalities, that are anchored twice, that fit everything, or whose dots fit every sign."""
    for query in rule.queries:
        for selector in query.selectors:
            for matcher in selector.matchers:
                if matcher.op in _PATTERNS and (found := _judge(matcher)):
                    says, fix, instead = found
                    where, edit = place(query, selector, matcher, instead)
                    yield Flaw(query.part(*where), says, fix, edit)


def _judge(matcher: Matcher) -> tuple[str, str, str | None] | None:
    """Return what is wrong with a matcher, a proposal, and what to write in its place where that is mechanical."""
    name, value = matcher.name, matcher.value
    negative = matcher.op is MatchOp.NOT_REGEX
    if value in _EVERYTHING:
        if negative:
            return f"{matcher} fits nothing, whatever {name} is", "remove it, or say what is not wanted", None
        if name == "__name__":
            return None
        return f"{matcher} fits everything, also a missing {name}", f'remove it, or write {name}!=""', None
    if odd := _odd(value):
        instead = f'{name}{matcher.op}"{odd.better}"' if odd.better else None
        return odd.says, f"write {instead}" if instead else odd.fix, instead if instead and odd.sure else None
    if not _SPECIAL.search(value):
        plain = f'{name}{"!=" if negative else "="}"{value}"'
        return f"{matcher} has no special sign: it is an equality", f"write {plain}", plain
    if value.startswith("^") or (value.endswith("$") and not value.endswith("\\$")):
        bare = value.removeprefix("^")
        bare = bare[:-1] if bare.endswith("$") and not bare.endswith("\\$") else bare
        anchored = f'{name}{matcher.op}"{bare}"'
        simple = "|" not in value and "\\" not in value
        return (
            "^ and $ are there already: a pattern fits the whole of a label",
            f"write {anchored}",
            anchored if simple else None,
        )
    if host := _HOST.search(value):
        escaped = host.group().replace(".", r"\\.")
        return f"each dot of {host.group()} fits any sign", f"write {escaped}", None
    return None


class _Odd(NamedTuple):
    """What another language means by a pattern, and the pattern for it."""

    says: str
    better: str = ""
    fix: str = ""
    sure: bool = True


def _odd(value: str) -> _Odd | None:
    if re.fullmatch(r"[1-5][xX]{2}", value):
        return _Odd("x stands for an x, and for nothing else", f"{value[0]}..")
    if re.fullmatch(r"\w[\w.-]*%|%[\w.-]*\w%?", value):
        return _Odd("% stands for a %, and for nothing else", value.replace("%", ".*"))
    if numbers := re.search(r"\[\d{2,}-\d{2,}\]", value):
        return _Odd(f"{numbers.group()} fits one sign, and no number of several", fix="write each digit: 5[0-9][0-9]")
    if glob := re.search(r"(?<!\\)[\w-]\*", value):
        before = glob.group()[0]
        better = re.sub(r"(?<!\\)([\w-])\*", r"\1.*", value)
        return _Odd(f"* repeats the {before} before it, and stands for nothing else", better, sure=False)
    return None


def place(
    query: Query, selector: VectorSelector, matcher: Matcher, instead: str | None
) -> tuple[tuple[int, int], Edit | None]:
    """Return where a matcher is written, the whole selector where it is written in another way, and its edit."""
    pattern = rf"""{re.escape(matcher.name)}\s*{matcher.op}\s*(["'`]){re.escape(matcher.value)}\1"""
    found = re.compile(pattern).search(query.text, selector.start, selector.end)
    if found is None:
        return (selector.start, selector.end), None
    begin, end = found.span()
    return (begin, end), query.edit(begin, end, instead.replace('"', found[1])) if instead else None
