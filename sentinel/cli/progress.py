"""Progress: one line on a terminal that says how far something is."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def shown() -> Iterator[Callable[[str], None]]:
    """Yield what shows how far something is, in one line of a terminal; nothing is shown to a file."""
    terminal = sys.stderr.isatty()

    def show(words: str) -> None:
        if terminal:
            sys.stderr.write(f"\r\033[K{words}")
            sys.stderr.flush()

    try:
        yield show
    finally:
        show("")
