"""How long to wait after a receiver refused."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sentinel.core.notification import Notification

#: The wait after the first, second, … refusal; the last one stands for all that follow.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (1, 5, 30, 120, 300, 600))
#: A receiver that asks for more is asked again after this: an alert is worth nothing tomorrow.
LONGEST = timedelta(hours=1)
#: Waits differ by this share up or down, so that what failed together does not come back together.
JITTER = 0.1


def wait(id_: str, tries: int, after: float = 0.0) -> timedelta:
    """Return how long to wait.

    Args:
        id_: of the notification; the jitter is made from it, so that the same decision is taken twice alike.
        tries: attempts made, at least 1.
        after: seconds that the receiver asked for.
    """
    plain = WAITS[min(tries, len(WAITS)) - 1]
    asked = timedelta(seconds=min(max(after, 0.0), LONGEST.total_seconds()))
    return max(plain * (1 + JITTER * _spread(id_, tries)), asked)


def ends_at(notification: Notification, tries: int) -> datetime:
    """Return when the last of `tries` attempts would be made, if all that remain were refused.

    While a circuit is open nobody makes these attempts; a notification is a dead letter at the same time all the same.
    """
    begins = notification.next_at or notification.due_at
    return begins + sum((WAITS[min(n, len(WAITS)) - 1] for n in range(notification.tries + 1, tries)), timedelta())


def _spread(id_: str, tries: int) -> float:
    """Return a number between -1 and 1, always the same for the same attempt."""
    digest = hashlib.sha256(f"{id_}/{tries}".encode()).digest()
    return int.from_bytes(digest[:4], "big") / 0x7FFFFFFF - 1
