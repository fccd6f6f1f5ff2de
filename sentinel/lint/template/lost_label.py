"""template/lost-label: a message should name only labels that its alert has.

Why
    What an aggregation has removed is an empty text in the message: "errors on instance" says nothing to whoever is
    woken by it.

Bad
    - alert: Errors
      expr: sum by (job) (rate(errors_total[5m])) > 1
      labels: {severity: warning}
      annotations: {summary: "errors on {{ $labels.instance }}"}

Good
    - alert: Errors
      expr: sum by (job) (rate(errors_total[5m])) > 1
      labels: {severity: warning}
      annotations: {summary: "errors in {{ $labels.job }}"}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.carried import Carried, carried
from sentinel.lint.flaw import Flaw
from sentinel.lint.texts import labels_in
from sentinel.lint.view import RuleView

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag labels in templates that the expression cannot have, whatever the series are."""
    has: Carried | None = None
    for written in rule.templates:
        for label, begin, end in labels_in(rule, written):
            has = has or _of(rule)
            if has is not None and has.lacks(label) and label != "alertname":
                yield Flaw(
                    written.at(begin, end), f'no alert of {rule.name} has the label "{label}"', _fix(rule, has, label)
                )


def _of(rule: RuleView) -> Carried | None:
    """Return the labels that a template finds: in rule files those of the series, in ours the rule's own as well."""
    if rule.rule is not None:
        compiled = rule.rule.compiled
        found = carried(compiled.expr) if compiled.by is None else Carried(frozenset(compiled.by))
        return found.add(frozenset(rule.labels))
    return carried(rule.whole.expr) if rule.whole else None


def _fix(rule: RuleView, has: Carried, label: str) -> str:
    if label in rule.labels:
        return "it is a label of the rule, and $labels holds those of the series: write its value"
    if not has.only:
        return f"the expression keeps no labels: add by ({label})"
    return f"{near(label, set(has.only), 'it has')}; or keep it: by ({', '.join(sorted({*has.only, label}))})"
