"""A blocking call in a thread of its own, which whoever waits for it may leave.

Not the loop's pool of threads: a name server or database that hangs would fill it, and everybody else would wait. The
threads are daemons, so that one that hangs for good does not hold up the agent's end.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from sentinel.core.errors import ProbeFailed

T = TypeVar("T")


def in_thread(call: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Start a call; the future has its result, and may be cancelled, which the call does not notice."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, problem: BaseException | None) -> None:
        if future.done():
            return
        if problem is not None:
            future.set_exception(problem)
        else:
            future.set_result(result)  # type: ignore[arg-type]  # there is a result where there is no problem

    def work() -> None:
        result, problem = None, None
        try:
            result = call()
        except Exception as exc:
            problem = exc
        try:
            loop.call_soon_threadsafe(settle, result, problem)
        except RuntimeError:
            return  # the loop has ended meanwhile, and nobody waits

    threading.Thread(target=work, name=name, daemon=True).start()
    return future


class Lone:
    """Calls in a thread, one at a time: on a file system that hangs, looks that time out leave one thread, not many.

    Args:
        name: of the thread.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._going: asyncio.Future[Any] | None = None

    async def __call__(self, call: Callable[[], T]) -> T:
        """Wait for a call; whoever is cancelled leaves it behind.

        Raises:
            ProbeFailed: timeout: an earlier call is still going on.
        """
        if self._going is not None and not self._going.done():
            raise ProbeFailed("timeout", "an earlier look still waits for the system, although it was cancelled")
        going = self._going = in_thread(call, self._name)
        going.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(going)
