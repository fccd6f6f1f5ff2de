"""The inbox: nobody waits for what has come already."""

from __future__ import annotations

import threading

from sentinel.agent.inbox import Errand, Inbox


def test_who_is_woken_before_he_waits_does_not_wait() -> None:
    """Else an agent told to stop in the middle of a turn would sleep on it."""
    inbox = Inbox()
    inbox.wake()
    waiting = threading.Thread(target=inbox.wait, args=(3600.0,), daemon=True)
    waiting.start()
    waiting.join(30)
    assert not waiting.is_alive()


def test_what_waits_is_taken_at_once_and_in_order() -> None:
    """All of it, so that it shares one commit."""
    inbox = Inbox()
    errands = [Errand(lambda: None) for _ in range(3)]
    for errand in errands:
        inbox.put(errand)
    inbox.wait(3600.0)
    assert inbox.take() == errands
    assert inbox.take() == []
