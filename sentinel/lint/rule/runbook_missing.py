"""rule/runbook-missing: a runbook that is a file of the repository should be there, with the heading that is named.

Why
    Whoever is woken at night opens it first.

Bad
    --- rules/a.yaml
    rules:
      deep: {last: queue_depth, above: 5, severity: error, runbook: docs/runbooks.md#deep-queue}
    --- docs/runbooks.md
    # Runbooks

    ## Queue too deep

Good
    --- rules/a.yaml
    rules:
      deep: {last: queue_depth, above: 5, severity: error, runbook: docs/runbooks.md#queue-too-deep}
    --- docs/runbooks.md
    # Runbooks

    ## Queue too deep

Where
    A path is looked for beside its own file, and from the folder that the check runs in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

_WRITTEN = re.compile(r"""(?:id|name)=["']([^"']+)["']|\{#([\w-]+)\}""")


def check(context: Context) -> Iterator[Flaw]:
    """Flag a path that leads to nothing, and an anchor without its heading."""
    for rule in context.rules:
        if not rule.runbook or "{{" in rule.runbook or "://" in rule.runbook or "${" in rule.runbook:
            continue
        path, _, anchor = rule.runbook.partition("#")
        file = _find(path, rule.file, context.base)
        where = rule.at(rule.runbook_mark)
        if file is None:
            yield Flaw(where, f"there is no file {path}", "write its path from the root of the repository")
        elif anchor and anchor not in (known := _anchors(file)):
            yield Flaw(where, f'{path} has no heading "#{anchor}"', near(anchor, set(known)))


def _find(path: str, beside: str, base: Path) -> Path | None:
    places = ((base / beside).parent / path, base / path)
    return next((place for place in places if place.is_file()), None)


@cache
def _anchors(file: Path) -> frozenset[str]:
    """Return the anchors of a page's headings, as GitHub and GitLab make them, and those that are written out."""
    text = file.read_text(encoding="utf-8", errors="replace")
    titles = re.findall(r"^(?:#{1,6}[ \t]+(.+?)[ \t]*#*|(.+)\n[=-]{3,})[ \t]*$", text, re.MULTILINE)
    made = {
        re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for pair in titles for title in pair if title
    }
    written = {one for pair in _WRITTEN.findall(text) for one in pair if one}
    return frozenset(made | written)
