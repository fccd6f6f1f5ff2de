"""Texts: what the templates of a rule ask for, and where that is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from sentinel.config.offsets import place
from sentinel.config.tree import Node, ScalarNode
from sentinel.core.problem import Position
from sentinel.lint.view import RuleView

#: None holds the beginning of another, so that a text of nothing but beginnings is read once.
_ACTION = re.compile(r"\{\{(?:(?!\{\{).)*?\}\}|\{%(?:(?!\{%).)*?%\}", re.DOTALL)
_LABEL_OF_GO = re.compile(r"""\$labels\.(\w+)|index\s+\$labels\s+"(\w+)\"""")
_LABEL_OF_JINJA = re.compile(r"""(?<![\w.])labels(?:\.(?!get\b|items\b|keys\b|values\b)(\w+)|\[["'](\w+)["']\])""")


class Written(NamedTuple):
    """A template of a rule.

    Args:
        key: of the text.
        text: as it stands in YAML, the escapes resolved.
        node: where.
        names_alert: whether it becomes a label, and so a part of what the alert is.
    """

    key: str
    text: str
    node: Node
    names_alert: bool

    def at(self, begin: int, end: int) -> Position:
        """Return where a part of it stands in the file."""
        return place(self.node, begin, end) if isinstance(self.node, ScalarNode) else self.node.position


@lru_cache(1)  # several checks ask one after the other
def templates(rule: RuleView) -> tuple[Written, ...]:
    """Return the texts of a rule that are filled in; those of a group or of a folder's defaults are left out."""
    return tuple(_templates(rule))


def _templates(rule: RuleView) -> Iterator[Written]:
    under = "annotations" if rule.kind == "alert" else ""
    for key, text in rule.texts.items():
        if "{{" in text or "{%" in text:
            node = rule.find(under, key) if under else rule.find(key)
            if node is not None:
                yield Written(key, text, node, names_alert=False)
    for key, text in rule.labels.items():
        if "{{" in text and (node := rule.find("labels", key)) is not None:
            yield Written(key, text, node, names_alert=True)


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
