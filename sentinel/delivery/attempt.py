"""One attempt: hand a message to a notifier, and turn whatever happens into a value."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import structlog

from sentinel.core.clock import Clock
from sentinel.core.errors import DeliveryFailed, GiveUp, TryAgain
from sentinel.delivery.parcel import Result
from sentinel.notifiers.base import Send
from sentinel.notifiers.message import Message
from sentinel.notifiers.notifier import Notifier

#: A receiver that has not answered by then is not waited for any longer; shorter than a lease.
SEND_TIMEOUT = timedelta(seconds=30)

log = structlog.get_logger(__name__)


async def attempt(
    notifier: Notifier, message: Message, clock: Clock, timeout: timedelta = SEND_TIMEOUT, send: Send | None = None
) -> Result:
    """Send a message once; no error leaves this function but the end of the task.

    Args:
        notifier: whose message it is.
        message: to be sent.
        clock: what time it is.
        timeout: how long the receiver may take.
        send: over connections that are held open; None opens them for this one.
    """
    send = send or notifier.kind.send
    began = clock.monotonic()
    receipt, error = None, None
    try:
        async with asyncio.timeout(timeout.total_seconds()):
            receipt = dict(await send(replace(message, sent_at=clock.now())))
    except DeliveryFailed as exc:
        error = exc
    except TimeoutError:
        error = TryAgain(f"no answer within {timeout.total_seconds():g} s", sure=False)
    except Exception as exc:  # a plugin's mistake is one dead letter with a name, and never the end of the worker
        log.exception("notifier failed", notifier=notifier.name)
        error = GiveUp(f"the notifier itself failed: {type(exc).__name__}")
    return Result(receipt, error, clock.monotonic() - began)
