"""Matchers: Alertmanager's conditions on labels, as `match` says them; what it cannot say is told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from sentinel.core.severity import Severity
from sentinel.exchange.draft import Draft
from sentinel.exchange.given import Given
from sentinel.exchange.words import ANYTHING, SOMETHING, NoList, words
from sentinel.rules.prometheus import severity_of

#: label -> values of which any will do.
Match = dict[str, tuple[str, ...]]
UNSAID = "match cannot say it"
MORE = "match cannot say it, and takes more alerts without it"
_MATCHER = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|[^=!~\s"{},]+)\s*(=~|!~|!=|=)\s*("(?:[^"\\]|\\.)*"|[^,{}"]*)\s*""")


@dataclass(frozen=True)
class Asked:
    """What a route or an inhibit rule asks of an alert.

    Args:
        match: conditions that all hold.
        but: labels and the values of which they have none.
        exact: whether that is all; else a note says what is missing, and more alerts fit.
    """

    match: Match = field(default_factory=dict)
    but: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exact: bool = True


def matchers_of(
    draft: Draft, given: Given, texts: str = "matchers", equal: str = "match", regex: str = "match_re"
) -> Asked:
    """Return the conditions of a route or an inhibit rule, in any of the ways that Alertmanager reads."""
    found: list[tuple[Given, str, str, str]] = []
    asked = Asked()
    for item in given.items(texts):
        if not (parsed := _parsed(item.text())):
            draft.note(item, f'{item.text()}: is no matcher, such as severity="critical"')
            asked = replace(asked, exact=False)
        found += [(item, *one) for one in parsed]
    found += [(one, name, "=", one.text()) for name, one in given.pairs(equal)]
    found += [(one, name, "=~", one.text()) for name, one in given.pairs(regex)]
    for item, name, op, value in sorted(found, key=lambda one: one[2] == "!~"):
        asked = _joined(draft, item, asked, name, op, value)
    return asked


def both(one: Match, other: Match) -> tuple[Match | None, bool]:
    """Return what holds where two conditions hold, None where no alert can fit both; and whether that says it all."""
    found, exact = dict(one), True
    for label, values in other.items():
        if label in found:
            values, all_said = _common(found[label], values)
            exact = exact and all_said
            if not values:
                return None, True
        found[label] = values
    return found, exact


def in_yaml(match: Match) -> dict[str, Any]:
    """Return a `match` as it is written."""
    return {label: values[0] if len(values) == 1 else list(values) for label, values in match.items()}


def _parsed(text: str) -> list[tuple[str, str, str]]:
    inner = text.strip().removeprefix("{").removesuffix("}")
    found, at = [], 0
    while at < len(inner):
        if not (one := _MATCHER.match(inner, at)) or (one.end() < len(inner) and inner[one.end()] != ","):
            return []
        found.append((_unquoted(one[1]), one[2], _unquoted(one[3].strip())))
        at = one.end() + 1
    return found


def _unquoted(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", lambda one: {"n": "\n"}.get(one[1], one[1]), text[1:-1])
    return text


def _joined(draft: Draft, given: Given, asked: Asked, label: str, op: str, value: str) -> Asked:
    """Return what is asked with one matcher more."""
    values = _values(op, value)
    if values is None:
        draft.note(given, f'{label}{op}"{value}": {UNSAID}')
        return replace(asked, exact=False)
    if label == "severity":
        values = tuple(dict.fromkeys(_severity(draft, given, one) for one in values))
    if op in ("=", "=~"):
        joined, exact = both(asked.match, {label: values})
    elif len(values) == 1:
        joined, exact = both(asked.match, {label: ("" if values[0] == "!" else f"!{values[0]}",)})
    elif label == "severity" and not any("*" in one for one in values):
        others = tuple(str(level) for level in Severity if str(level) not in values)
        joined, exact = both(asked.match, {label: others}) if others else (None, True)
    else:
        return replace(asked, but=(*asked.but, (label, values)))
    if joined is None:
        draft.note(given, f'{label}{op}"{value}": beside the other matchers of {label} nothing fits it')
        return replace(asked, match=asked.match | {label: ("!*",)})
    if not exact:
        draft.note(given, f'{label}{op}"{value}": beside the other matchers of {label}, {UNSAID}')
    return replace(asked, match=joined, exact=asked.exact and exact)


def _values(op: str, value: str) -> tuple[str, ...] | None:
    """Return the values that a matcher names, None where no list of them says it."""
    if op in ("=", "!="):
        listed = [value]
    else:
        try:
            listed = words(value)
        except NoList:
            return None
    if any("*" in word or word.startswith("!") for word in listed):
        return None
    return tuple("!" if word == SOMETHING else _starred(word) for word in listed)


def _starred(word: str) -> str:
    return word.replace(ANYTHING, "*").replace(SOMETHING, "*")


def _common(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[tuple[str, ...], bool]:
    """Return the values that fit both lists, and whether these say all of it."""
    found: dict[str, None] = {}
    exact = True
    for a in one:
        for b in other:
            value, all_said = _narrower(a, b) if a.startswith("!") <= b.startswith("!") else _narrower(b, a)
            exact = exact and all_said
            if value is not None:
                found[value] = None
    return tuple(found), exact


def _narrower(a: str, b: str) -> tuple[str | None, bool]:
    """Return what fits both values, None where nothing does, and whether that says it all; `a` may be what is not."""
    if a == b:
        return a, True
    if a.startswith("!"):  # and so does b
        return a, False
    if b.startswith("!"):
        return _without(a, b[1:])
    for word, pattern in ((a, b), (b, a)):
        if _fits(pattern, word):
            return word, True
    if "*" not in a or "*" not in b:
        return None, True
    (begin, end), (other_begin, other_end) = _ends(a), _ends(b)
    apart = not (begin.startswith(other_begin) or other_begin.startswith(begin))
    apart = apart or not (end.endswith(other_end) or other_end.endswith(end))
    return (None, True) if apart else (a, False)


def _without(value: str, excluded: str) -> tuple[str | None, bool]:
    """Return what is left of a value or pattern, and whether that says it all."""
    if "*" not in value:
        return (None, True) if _fits(excluded, value) else (value, True)
    if value.strip("*") == "" and excluded == "":
        return "!", True
    return (None, True) if _fits(excluded, value) else (value, "*" not in excluded and not _fits(value, excluded))


def _fits(pattern: str, word: str) -> bool:
    return fnmatchcase(word, re.sub(r"([\[\]?])", r"[\1]", pattern)) if "*" in pattern else word == pattern


def _ends(pattern: str) -> tuple[str, str]:
    return pattern.partition("*")[0], pattern.rpartition("*")[2]


def _severity(draft: Draft, given: Given, value: str) -> str:
    """Return one of our severities for other people's word."""
    sign, word = ("!", value[1:]) if value.startswith("!") else ("", value)
    if not word or "*" in word:
        return value
    level = severity_of(word)
    if level is None:
        draft.note(given, f'severity "{word}" is none of ours, and taken for error, as in rules')
    return f"{sign}{level or 'error'}"
