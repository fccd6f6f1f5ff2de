"""Page: what the docstring of a check says: its name, why, what is bad and what is good.

The examples run as the check's tests, and `sentinel check --explain NAME` prints the page.
"""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

from sentinel.core.severity import Severity
from sentinel.lint import CHECKS, module_of

#: Pages of what the loader finds; they have no check of their own.
_LOADED = Path(__file__).parent / "loaded.txt"


class Page(NamedTuple):
    """The page of one check.

    Args:
        name: of the check.
        says: what it demands, in one line.
        parts: Why, Bad, Good and others, by their heading.
        severity: that its problems have unless `policy:` says otherwise.
        text: the whole.
    """

    name: str
    says: str
    parts: dict[str, str]
    severity: Severity
    text: str

    @property
    def why(self) -> str:
        """The first paragraph of its reason, as one line."""
        return " ".join(self.parts.get("Why", "").split("\n\n")[0].split())


def check_module(name: str) -> ModuleType:
    """Import a check."""
    return import_module(module_of(name))


@cache
def page(name: str) -> Page:
    """Return the page of a check, of ours or of the loader.

    Raises:
        KeyError: there is no such check.
    """
    if name in CHECKS:
        module = check_module(name)
        return _page(inspect.cleandoc(module.__doc__ or ""), module.SEVERITY)
    return loaded()[name]


@cache
def loaded() -> dict[str, Page]:
    """Return the pages of what the loader finds while it reads a tree."""
    texts = _LOADED.read_text(encoding="utf-8").split("====\n")
    pages = [_page(text.strip("\n"), Severity.ERROR) for text in texts]
    return {page.name: page for page in pages}


@cache
def names() -> tuple[str, ...]:
    """Return the name of everything that can be found, in order."""
    return tuple(sorted({*CHECKS, *loaded()}))


def _page(text: str, severity: Severity) -> Page:
    from textwrap import dedent  # what is well needs no page

    head, _, body = text.partition("\n")
    name, _, says = head.partition(": ")
    pieces = re.split(r"^([A-Z]\w+(?: \w+)*)\n(?=    )", body, flags=re.MULTILINE)
    parts = {title: dedent(piece).strip("\n") for title, piece in zip(pieces[1::2], pieces[2::2], strict=True)}
    if "Severity" in parts:
        severity = Severity.of(parts["Severity"].strip())
    return Page(name, says, parts, severity, text)
