"""template/fails: a template should be filled in without an error.

Why
    A message that cannot be filled in reaches people as "error expanding template", in the one moment in which they
    need its words.

Bad
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
      annotations: {summary: "down since {{ $value | humanizeTimestamp | humanize }}"}

Bad too
    annotations: {summary: '{{ query "sum(" | first | value }}'}
    annotations: {summary: '{{ printf "%d" $value }} messages'}

Good
    - alert: Down
      expr: up == 0
      labels: {severity: critical}
      annotations: {summary: "down: {{ $labels.instance }}"}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from sentinel.core.errors import QueryInvalid
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.texts import actions
from sentinel.lint.view import RuleView, Written
from sentinel.promql.parser import parse

SEVERITY = Severity.ERROR

#: What cannot fail, and is nearly all that there is.
_PLAIN = re.compile(r"\{\{-?\s*(?:\$labels\.\w+|\$value(?:\s*\|\s*humanize\w*)?|\.Labels\.\w+)\s*-?\}\}")
_QUERY = re.compile(r"""\bquery\s+("(?:[^"\\]|\\.)*"|`[^`]*`)""")
#: How Go writes a value that the verb of printf does not fit.
_MISFIT = re.compile(r"%!\w?\([^)]*\)")
_ESCAPED = re.compile(r"\\(.)")
#: What labels could hold: a number, a host, a length of time.
_SAMPLES = ("1", "web-1.example.com:9100", "5m")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag templates of rule files that fail with each of several samples, and PromQL in them that cannot be read."""
    if rule.kind == "rule":
        return
    for written in rule.templates:
        if all(_PLAIN.fullmatch(action.group()) for action in actions(written.text)):
            continue
        unreadable = list(_unreadable(written))
        yield from unreadable
        if not unreadable and (why := _failure(written.text)):
            field = re.search(r"evaluate field (\w+)", why)
            at = written.text.find(f".{field[1]}") if field else -1
            where = written.at(at, at + 1 + len(field[1])) if field and at >= 0 else written.node
            yield Flaw(where, f"{written.key} cannot be filled in: {why}", _fix(why, field))


class _Labels(dict[str, str]):
    """Every label there could be, each with the same text."""

    def __init__(self, text: str) -> None:
        super().__init__(label=text)
        self._text = text

    def __missing__(self, name: str) -> str:
        return self._text

    def get(self, name: str, default: Any = None) -> Any:
        """Return the text."""
        return self._text


def _answer(element: Mapping[str, Any], query: str) -> list[Mapping[str, Any]]:
    """Answer each query with one element."""
    return [element]


def _fix(why: str, field: re.Match[str] | None) -> str:
    if field:
        return (
            f"write $labels.{field[1]}" if field[1][0].islower() else "those of Alertmanager's templates are not known"
        )
    return "write %.0f: a value is no whole number" if "%!d" in why else ""


def _unreadable(written: Written) -> Iterator[Flaw]:
    for found in _QUERY.finditer(written.text):
        quoted = found[1]
        query = quoted[1:-1] if quoted[0] == "`" else _ESCAPED.sub(r"\1", quoted[1:-1])
        if "{{" in query or "%" in query:  # put together of pieces
            continue
        try:
            parse(query)
        except QueryInvalid as exc:
            yield Flaw(written.at(*found.span(1)), f"the query cannot be read: {exc.says}", exc.fix)


def _failure(text: str) -> str:
    """Return why a template cannot be filled in, "" if it can be with one of the samples, or cannot even be read."""
    from sentinel.rules.gotemplate import Expansion, GoTemplateInvalid, expand
    from sentinel.rules.gotemplate import check as readable

    try:
        readable(text)
    except GoTemplateInvalid:  # said where rule files are read
        return ""
    why = ""
    for sample in _SAMPLES:
        labels = _Labels(sample)
        element = {"Labels": labels, "Value": 0.5}
        filled = expand(text, Expansion(labels, 0.5, partial(_answer, element)))
        if misfit := _MISFIT.search(filled):
            return f"a value does not fit, and is printed as {misfit.group()}"
        if not filled.startswith("<error expanding template: "):
            return ""
        why = why or filled.removeprefix("<error expanding template: ").removesuffix(">")
    return why
