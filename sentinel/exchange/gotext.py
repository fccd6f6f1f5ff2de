"""Go text: a template of a rule's texts, written as Prometheus fills it in."""

from __future__ import annotations

import re

from sentinel.core.quantity import Unit
from sentinel.core.severity import Severity
from sentinel.rules.rule import Rule

#: `{{ … }}`, `{% … %}` and `{# … #}` of Jinja2.
_HOLE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_PLAIN = re.compile(r"\{\{-?\s*([a-z_]+)(?:\.(\w+)|\[['\"](\w+)['\"]\])?\s*(?:\|\s*(\w+)\s*)?-?\}\}")
_FILTERS = {
    "duration": "humanizeDuration",
    "percent": "humanizePercentage",
    "bytes": "humanize1024",
    "number": "humanize",
}


def go_text(key: str, text: str, rule: Rule, level: Severity, shortfalls: list[str]) -> str:
    """Return a text of a rule as a template of Go; what that cannot say is an ellipsis, and a shortfall.

    Args:
        key: under which the text stands.
        text: a template of Jinja2.
        rule: whose it is.
        level: the severity of the alert.
        shortfalls: takes what cannot be said.
    """

    def filled(hole: re.Match[str]) -> str:
        said = _said(hole[0], rule, level)
        if said is None:
            shortfalls.append(f"{key}: {hole[0]} cannot be said in a template of Prometheus")
            return "…"
        return said

    return _HOLE.sub(filled, text)


def _said(hole: str, rule: Rule, level: Severity) -> str | None:
    if hole.startswith("{#"):
        return ""
    found = _PLAIN.fullmatch(hole)
    if not found:
        return None
    name, part, other, filter_ = found.groups()
    if filter_ and (name != "raw_value" or filter_ not in _FILTERS):
        return None
    threshold = rule.thresholds[level]
    match name:
        case "value":
            return _value(rule)
        case "raw_value":
            return f"{{{{ $value{f' | {_FILTERS[filter_]}' if filter_ else ''} }}}}"
        case "labels" if part or other:
            return f"{{{{ $labels.{part or other} }}}}"
        case "rule":
            return rule.name
        case "severity":
            return str(level)
        case "threshold":
            return str(threshold.above or threshold.below or "")
    return None


def _value(rule: Rule) -> str:
    """Return the value in the unit in which people read it."""
    match rule.compiled.unit, rule.compiled.scale:
        case Unit.RATIO, 1:
            return "{{ $value | humanizePercentage }}"
        case Unit.RATIO, _:
            return "{{ $value | humanize }}%"
        case Unit.SECONDS, 1:
            return "{{ $value | humanizeDuration }}"
        case Unit.SECONDS, _:
            return "{{ $value | humanize }} ms"
        case Unit.BYTES, _:
            return "{{ $value | humanize1024 }}B"
        case Unit.PER_SECOND, _:
            return "{{ $value | humanize }}/s"
    return "{{ $value | humanize }}"
