"""Turning: one turn after another in a thread of its own, with rests between them, until it is told to stop."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog

from sentinel.agent.inbox import Inbox

log = structlog.get_logger()


class Turning:
    """Takes turns.

    Args:
        inbox: what arrives in it ends a rest.
        turn: takes one, and returns for how many seconds there is nothing to do unless something arrives.
        finish: ends what was begun; called last, on the same thread.
    """

    def __init__(self, inbox: Inbox, turn: Callable[[], float], finish: Callable[[], None]) -> None:
        self._inbox, self._turn, self._finish = inbox, turn, finish
        self._thread: threading.Thread | None = None
        self._stopping = threading.Event()

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._work, name="desk", daemon=True)
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """Finish, and say whether that was done in time."""
        self._stopping.set()
        self._inbox.wake()
        if self._thread is None:
            self._finish()
            return True
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                seconds = self._turn()
            except Exception:  # a mistake of ours must not end monitoring; the next turn begins from what is committed
                log.exception("a turn of the desk failed")
                seconds = 1.0
            self._inbox.wait(seconds)
        self._finish()
