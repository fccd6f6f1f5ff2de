"""Words: why an element is judged as it is, and the texts of its rule filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from sentinel.core.alert import Condition
from sentinel.core.labels import Labels
from sentinel.core.quantity import Quantity, Unit, format_value
from sentinel.core.severity import Severity
from sentinel.core.template import Template, TemplateInvalid
from sentinel.rules.rule import Rule
from sentinel.rules.threshold import Threshold

#: The keys of a rule that are templates.
TEXTS = ("summary", "description", "runbook", "dashboard")
#: What a template is given.
GIVEN = ("rule", "severity", "value", "raw_value", "threshold", "labels", "since", "reason", "agent")


class _Given(dict[str, str]):
    """Labels as a template sees them: a missing one is an empty one."""

    def __missing__(self, name: str) -> str:
        return ""


def number(value: float) -> str:
    """Write a plain number: 31, 0.062, 1,500."""
    return format_value(value)


def written(rule: Rule, value: float, limit: Quantity | None) -> str:
    """Write a value of base units as its threshold is written: `6.2%` beside `5%`, `63 ms` beside `50ms`."""
    compiled = rule.compiled
    if limit is not None and limit.unit is Unit.NUMBER and (limit.value or compiled.unit is None):
        if compiled.unit is Unit.RATIO and compiled.scale == 1:
            return number(value)
        return format_value(value * compiled.scale, Unit.NUMBER, _like(limit))
    return format_value(value, compiled.unit or Unit.NUMBER, _like(limit) if limit else "")


def _like(limit: Quantity) -> str:
    """Return the text that a value is written like; 0 and `3 of 5` say nothing of how to write one."""
    return limit.text if limit.value and " " not in limit.text else ""


def reason(rule: Rule, value: float, threshold: Threshold, parts: Mapping[str, float]) -> str:
    """Say in one line how the value stands to the threshold: `0.062 = 31 / 500 > 0.05`."""
    limit = threshold.passed(value)
    if parts and rule.compiled.wording:
        filled = rule.compiled.wording.format(**{name: number(part) for name, part in parts.items()})
        shown = f"{number(value)} = {filled}"
        against = number(limit.value) if limit else ""
    else:
        shown, against = written(rule, value, limit or threshold.above or threshold.below), limit.shown if limit else ""
    if limit is None:
        return rule.form.tell(shown if threshold.bare else f"{shown}, not {threshold}", parts, None)
    scaled = limit if rule.compiled.scale == 1 else replace(limit, value=limit.value * rule.compiled.scale)
    return rule.form.tell(f"{shown} {threshold.sign(limit)} {against}", parts, scaled)


def judged_severity(rule: Rule, conditions: Mapping[Severity, Condition]) -> Severity:
    """Return the highest severity whose condition holds, else the lowest that the rule knows."""
    holding = [level for level, condition in conditions.items() if condition is Condition.HOLDS]
    return max(holding) if holding else min(rule.thresholds)


def texts(rule: Rule, labels: Labels, value: float, severity: Severity, why: str, since: datetime) -> dict[str, str]:
    """Fill in the rule's templates, and give the value as people read it; a text that fails says so itself."""
    threshold = rule.thresholds[severity]
    limit = threshold.passed(value) or threshold.above or threshold.below
    given = {
        "rule": rule.name,
        "severity": str(severity),
        "value": written(rule, value, limit),
        "raw_value": value * rule.compiled.scale,
        "threshold": limit.shown if limit else "",
        "labels": _Given(labels, **rule.labels),
        "since": _minute(since),
        "reason": why,
        "agent": rule.agent,
    }
    return {"value": str(given["value"])} | {key: _filled(text, given) for key, text in rule.texts.items()}


@lru_cache(maxsize=1024)  # of a storm, all began at once
def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


@lru_cache(maxsize=4096)
def _template(text: str) -> Template:
    return Template(text)


def _filled(text: str, given: Mapping[str, object]) -> str:
    try:
        return _template(text).render(**given)
    except TemplateInvalid as exc:
        return f"{text} (cannot be filled in: {exc.says})"
