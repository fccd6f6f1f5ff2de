"""Texts: what the templates of a rule ask for, and where that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.lint.view import RuleView, Written

#: None holds the beginning of another, so that a text of nothing but beginnings is read once.
_ACTION = re.compile(r"\{\{(?:(?!\{\{).)*?\}\}|\{%(?:(?!\{%).)*?%\}", re.DOTALL)
_LABEL_OF_GO = re.compile(r"""\$labels\.(\w+)|index\s+\$labels\s+"(\w+)\"""")
_LABEL_OF_JINJA = re.compile(r"""(?<![\w.])labels(?:\.(?!get\b|items\b|keys\b|values\b)(\w+)|\[["'](\w+)["']\])""")


def actions(text: str) -> Iterator[re.Match[str]]:
    """Yield what stands in braces."""
    return _ACTION.finditer(text)


def outside(text: str) -> str:
    """Return a text with blanks in place of what stands in braces."""
    return _ACTION.sub(lambda found: " " * len(found.group()), text)


def labels_in(rule: RuleView, written: Written) -> Iterator[tuple[str, int, int]]:
    """Yield each label of the alert that a template asks for, with the offsets of its name."""
    if "labels" not in written.text:
        return
    pattern = _LABEL_OF_JINJA if rule.kind == "rule" else _LABEL_OF_GO
    for action in actions(written.text):
        for found in pattern.finditer(written.text, *action.span()):
            group = 1 if found[1] else 2
            yield found[group], *found.span(group)
