"""Regular expressions from a configuration: RE2's syntax, matched in time linear in the text.

Python's `re` backtracks, so a pattern such as `(a+)+$` in a rule file could hold the agent for hours; RE2 cannot. Where
google-re2 has no wheel, `re` stands in for the syntax that both share, and patterns that may backtrack without bound
(a repetition of a repetition) are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any

#: In Go's replacements: $1, $name, ${name}; a name is as long as it can be, so $1x is the group called "1x".
_GROUP = re.compile(r"\$(?:\{(\w+)\}|(\w+)|(\$))", re.ASCII)
_NESTED_REPETITION = re.compile(r"\([^()]*[*+}][^()]*\)[*+{]")


@cache
def _re2() -> Any:
    """Return google-re2, None where it has no wheel for this platform."""
    try:
        import re2
    except ImportError:
        return None
    return re2


@lru_cache(maxsize=4096)
def compile_pattern(pattern: str) -> Any:
    """Compile; the result has `search`, `match`, `fullmatch`, `sub` and `groupindex` as Python's has. Dot matches all.

    Raises:
        ValueError: not a pattern of RE2's syntax; the text says why.
    """
    re2 = _re2()
    try:
        if re2 is not None:
            options = re2.Options()
            options.dot_nl, options.log_errors = True, False
            return re2.compile(pattern, options)
        if _NESTED_REPETITION.search(pattern):
            raise ValueError("a repetition of a repetition needs google-re2, which is not installed here")
        return re.compile(pattern, re.DOTALL)
    except ValueError:
        raise
    except Exception as exc:  # re2.error and re.error share no base
        said = exc.args[0] if exc.args else exc
        raise ValueError(said.decode() if isinstance(said, bytes) else str(said)) from None


@lru_cache(maxsize=4096)
def _full(pattern: str) -> Callable[[str], Any]:
    compiled = compile_pattern(f"^(?:{pattern})$")
    match: Callable[[str], Any] = compiled.fullmatch
    return match


def full_match(pattern: str, text: str) -> bool:
    """Say whether the whole text matches, as Prometheus's `=~` does."""
    return _full(pattern)(text) is not None


def fill_groups(replacement: str, found: re.Match[str]) -> str:
    """Fill the groups of a match into Go's replacement; a group that there is not is empty."""

    def group(place: re.Match[str]) -> str:
        name = place[1] or place[2]
        if name is None:
            return "$"
        try:
            return found.group(int(name) if name.isdigit() else name) or ""
        except (IndexError, KeyError):
            return ""

    return _GROUP.sub(group, replacement)
