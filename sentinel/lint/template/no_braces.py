"""template/no-braces: what is to be filled in should stand in double braces.

Why
    Without them the words themselves are printed: whoever is woken reads "$labels.instance is down".

Bad
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
      annotations: {summary: "$labels.instance is down"}

Bad too
    annotations: {summary: "{ $labels.instance } is down"}

Good
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
      annotations: {summary: "{{ $labels.instance }} is down"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from sentinel.config.tree import Node
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.texts import outside
from sentinel.lint.view import RuleView, Written

SEVERITY = Severity.WARNING

#: So many of one text are told.
_MOST = 20
_GO = r"\$(?:labels\.\w+|value\b|externalLabels\.\w+)"
_OF_GO = re.compile(rf"\{{ ?{_GO} ?\}}|{_GO}")
_OF_JINJA = re.compile(
    r"(?<!\{)\{ ?(?:value|raw_value|threshold|labels\.\w+|severity|since|reason|rule|agent) ?\}(?!\})"
    r"|\$(?:labels\.\w+|value\b)"
)


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag names of what a template knows outside of braces, where it is not told how to write a template."""
    pattern = _OF_JINJA if rule.kind == "rule" else _OF_GO
    for written in _texts(rule):
        bare = outside(written.text)
        if "{{" in bare:
            continue  # one is never closed, which is said
        for found in islice(pattern.finditer(bare), _MOST):
            name = found.group().strip("{} ").removeprefix("$" if rule.kind == "rule" else "")
            says = f"{found.group().strip()} stands outside of {{{{ }}}}, and is printed as it is"
            yield Flaw(written.at(*found.span()), says, f"write {{{{ {name} }}}}")


def _texts(rule: RuleView) -> Iterator[Written]:
    """Yield the texts of a rule and its labels, templates or not."""
    under = ("annotations",) if rule.kind == "alert" else ()
    for key, text in rule.texts.items():
        if ("$" in text or "{" in text) and (node := rule.find(*under, key)) is not None:
            yield Written(key, text, node, names_alert=False)
    for key, text in rule.labels.items():
        if ("$" in text or "{" in text) and (node := _label(rule, key)) is not None:
            yield Written(key, text, node, names_alert=True)


def _label(rule: RuleView, key: str) -> Node | None:
    return rule.find("labels", key)
