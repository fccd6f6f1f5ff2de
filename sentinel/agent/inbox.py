"""The inbox: what the loop hands to the desk, and how it hears back."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
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
    """A queue between threads that is emptied at once, so that all that waits shares one commit; one thread empties it.

    Not a deque under a `Condition`: that costs a look a tenth of its time, for a lock that is made for each wait.
    """

    def __init__(self) -> None:
        self._items: SimpleQueue[Item | None] = SimpleQueue()  # None only wakes
        self._first: Item | None = None

    def put(self, item: Item) -> None:
        """Add something; never waits."""
        self._items.put(item)

    def wake(self) -> None:
        """Let whoever waits, or is about to, look again."""
        self._items.put(None)

    def take(self) -> list[Item]:
        """Take all that waits, in the order in which it came."""
        taken = [self._first, *(self._items.get() for _ in range(self._items.qsize()))]
        self._first = None
        return [item for item in taken if item is not None]

    def wait(self, seconds: float) -> None:
        """Wait until there is something, at most so long."""
        if self._first is None:
            with suppress(Empty):
                self._first = self._items.get(timeout=seconds)

    def __len__(self) -> int:
        return self._items.qsize() + (self._first is not None)


def answer_with(future: Future[Any], run: Callable[[], Any]) -> None:
    """Answer with what this returns, or raises."""
    try:
        answer = run()
    except Exception as exc:
        future.set_exception(exc)
    else:
        future.set_result(answer)
