"""Run a blocking client without waiting for it on the loop.

Each call has a thread of its own: `asyncio.to_thread` shares a handful, so a few receivers that hang would delay all
others, and Python waits for those threads at its exit, so the agent could not stop in time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


async def in_thread(call: Callable[[], T]) -> T:
    """Return what `call` returns, or raise what it raises; if nobody waits any more, its end is not heard."""
    import asyncio

    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def succeed(answer: T) -> None:
        if not future.done():
            future.set_result(answer)

    def fail(exc: BaseException) -> None:
        if not future.done():
            future.set_exception(exc)

    def run() -> None:
        try:
            answer = call()
        except BaseException as exc:  # whatever it is, it belongs to the one who asked
            _hand_over(loop, partial(fail, exc))
        else:
            _hand_over(loop, partial(succeed, answer))

    threading.Thread(target=run, name="notifier", daemon=True).start()
    return await future


def _hand_over(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        return  # the loop has ended meanwhile: nobody is there to hear it
