"""The inbox: what the loop hands to the desk, and how it hears back."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from sentinel.core.sample import Batch
from sentinel.store.database import Transaction


@dataclass(frozen=True, slots=True)
class Work:
    """Something to be written: all or nothing, and acknowledged when it is committed.

    Args:
        do: a small function of the transaction; what it returns is the answer. It may run more than once.
        then: what the commit changes in memory, on the desk; gets the answer.
        answer: heard by whoever asked, after the commit and `then`.
    """

    do: Callable[[Transaction], Any]
    then: Callable[[Any], None]
    answer: Future[Any] = field(default_factory=Future)


@dataclass(frozen=True, slots=True)
class Errand:
    """Something that the desk does between commits, because it touches what only the desk owns."""

    run: Callable[[], Any]
    answer: Future[Any] = field(default_factory=Future)


Item = Batch | Work | Errand


class Inbox:
    """A queue between threads that is emptied at once, so that all that waits shares one commit."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()
        self._filled = threading.Condition()
        self._woken = False

    def put(self, item: Item) -> None:
        """Add something; never waits."""
        with self._filled:
            self._items.append(item)
            self._filled.notify()

    def wake(self) -> None:
        """Let whoever waits, or is about to, look again."""
        with self._filled:
            self._woken = True
            self._filled.notify()

    def take(self) -> list[Item]:
        """Take all that waits, in the order in which it came."""
        with self._filled:
            taken = list(self._items)
            self._items.clear()
        return taken

    def wait(self, seconds: float) -> None:
        """Wait until there is something, at most so long."""
        with self._filled:
            if not self._items and not self._woken:
                self._filled.wait(seconds)
            self._woken = False

    def __len__(self) -> int:
        return len(self._items)


def answer_with(future: Future[Any], run: Callable[[], Any]) -> None:
    """Answer with what this returns, or raises."""
    try:
        answer = run()
    except Exception as exc:
        future.set_exception(exc)
    else:
        future.set_result(answer)
