"""The sign of life: somebody else is called each minute while the agent is well, so that its own end is noticed."""

from __future__ import annotations

import asyncio

import structlog
from pydantic import SecretStr

from sentinel.agent.view import View
from sentinel.delivery.breaker import Circuit
from sentinel.delivery.couriers import Couriers

log = structlog.get_logger()

_EVERY_SECONDS = 60.0
_TIMEOUT_SECONDS = 10.0


def why_silent(view: View, couriers: Couriers, *, alive: bool) -> str:
    """Return why no sign of life may be given now; "" if all works: scheduler, evaluation, database, a notifier."""
    if not alive:
        return "the loop or the desk hangs"
    if view.unwritten_since is not None:
        return f"the database takes nothing: {view.unwritten_why}"
    fares = couriers.status().values()
    if fares and all(status.circuit is not Circuit.CLOSED for status in fares):
        return "no notifier delivers"
    return ""


async def call(url: SecretStr) -> None:
    """Call once; who does not answer is logged, without the URL, which is often a secret."""
    import httpx

    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS) as client:
            answer = await client.get(url.get_secret_value())
        if answer.is_error:
            log.warning("the sign of life was refused", status=answer.status_code)
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        log.warning("the sign of life was not heard", why=type(exc).__name__)


async def rest() -> None:
    """Wait until the next one."""
    await asyncio.sleep(_EVERY_SECONDS)
