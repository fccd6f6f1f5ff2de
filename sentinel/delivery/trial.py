"""A trial of a notifier: one test message, sent at once and past the outbox, so that a person hears the answer."""

from __future__ import annotations

import hashlib

from sentinel.core.clock import Clock
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.delivery.attempt import attempt
from sentinel.delivery.parcel import Result
from sentinel.delivery.words import Words
from sentinel.notifiers.message import Facts
from sentinel.notifiers.notifier import Notifier


async def send_test(notifier: Notifier, words: Words, clock: Clock) -> Result:
    """Send one test message, and say how that ended."""
    now = clock.now()
    message = words.message(
        key=hashlib.sha256(f"test\n{notifier.name}\n{now.isoformat()}".encode()).hexdigest()[:32],
        notifier=notifier.name,
        reason=Reason.TEST,
        severity=Severity.INFO,
        facts=Facts(words.agent, now),
        markup=notifier.kind.MARKUP,
        earlier={},
    )
    return await attempt(notifier, message, clock)
