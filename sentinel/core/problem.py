"""Where something was written, and what is wrong there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from sentinel.core.severity import Severity

#: What is longer is no misspelt word.
_LONGEST_WORD = 100


class Position(NamedTuple):
    """A place in a text file: line and column count from 1, in characters; `width` characters are meant."""

    file: str
    line: int = 1
    column: int = 1
    width: int = 1

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Edit(NamedTuple):
    """What would mend a problem: characters begin to end of its file become this text."""

    begin: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding about the configuration.

    Args:
        check: its name, `room/what`, the same in code, docs and suppress comment.
        severity: ERROR makes a tree unusable, WARNING does not.
        position: where the offending text stands.
        says: what is wrong, in one sentence without a full stop.
        fix: what to do about it, or "".
        why: why it matters, or "".
        excerpt: the source line, so that a caret can be drawn without reading the file again.
        edit: what `check --fix` writes, where that is mechanical.
    """

    check: str
    severity: Severity
    position: Position
    says: str
    fix: str = ""
    why: str = ""
    excerpt: str = field(default="", compare=False)
    edit: Edit | None = field(default=None, compare=False)

    def __str__(self) -> str:
        fix = f"; {self.fix}" if self.fix else ""
        return f"{self.position}: {self.says}{fix}"

    @property
    def sort_key(self) -> tuple[Position, str]:
        """Files in path order, then as a reader meets the problems."""
        return self.position, self.check


def near(word: str, known: list[str] | tuple[str, ...] | set[str], what: str = "") -> str:
    """Return a proposal for a word that is not known: `did you mean "every"?`, else what there is, else "".

    Args:
        word: what was written.
        known: what could have been meant.
        what: plural noun for the list given when nothing is near, such as "kinds"; "" gives no list.
    """
    if found := _nearest(word, frozenset(known)):
        return f'did you mean "{found}"?'
    if what and known and len(known) <= 24:
        return f"{what}: {', '.join(sorted(known))}"
    return ""


def surely(word: str, known: Collection[str]) -> str:
    """Return the one word that can have been meant, "" where it may be several or none."""
    from difflib import get_close_matches

    lower = {one.lower(): one for one in known}
    found = get_close_matches(word.lower(), lower, n=2, cutoff=0.75) if len(word) <= _LONGEST_WORD else []
    return lower[found[0]] if len(found) == 1 else ""


@lru_cache(4096)
def _nearest(word: str, known: frozenset[str]) -> str:
    """Return the word that is nearest, "" where none is; the same mistake is often made more than once."""
    from difflib import get_close_matches

    found = get_close_matches(word, sorted(known), n=1, cutoff=0.6) if len(word) <= _LONGEST_WORD else []
    return found[0] if found else ""
