"""Deliveries over HTTP: what was told to whom, and what a person does about a dead letter."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from sentinel.core.notification import Notification, Settlement
from sentinel.core.problem import near
from sentinel.web import present
from sentinel.web.api import agent_of, author_of
from sentinel.web.present import Json

router = APIRouter(prefix="/api/deliveries")


class Dropping(BaseModel):
    """Who lets a dead letter rest, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    author: str = Field(min_length=1, max_length=1000)
    reason: str = Field(min_length=1, max_length=1000)


@router.get("")
async def deliveries(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    settlement: str = "",
    notifier: str = "",
    alert: str = "",
) -> Json:
    """List notifications, the newest first; only of a settlement (or `open`), a notifier, a fingerprint, if asked."""
    agent = agent_of(request)
    if settlement and settlement not in ("open", *Settlement):
        raise HTTPException(400, f'"{settlement}" is no settlement; one of open, {", ".join(Settlement)}')

    def read() -> list[Notification]:
        with agent.database.read() as tx:
            if settlement != "open":
                wanted = Settlement(settlement) if settlement else None
                return tx.notifications.newest(limit, wanted, notifier, alert)
            rows = tx.notifications.open()[::-1]
        rows = [row for row in rows if notifier in ("", row.notifier) and (not alert or alert in row.alerts)]
        return rows[:limit]

    return {"deliveries": [present.notification(row) for row in await agent.read(read)]}


@router.post("/retry")
async def retry_all(request: Request, notifier: str = "") -> Json:
    """Try every dead notification again; with `notifier`, only its own."""
    agent = agent_of(request)
    known = set(agent.view.config.notifiers)
    settled = await agent.retry_all(notifier, author_of(request))
    if notifier and not settled.notifications and notifier not in known:
        hint = near(notifier, known, "notifiers")
        raise HTTPException(404, f'there is no notifier "{notifier}"{"; " + hint if hint else ""}')
    return {"deliveries": [present.notification(row) for row in settled.notifications]}


@router.get("/{id_:path}")
async def delivery(request: Request, id_: str) -> Json:
    """Show one notification and its attempts."""
    agent = agent_of(request)

    def read() -> Notification | None:
        with agent.database.read() as tx:
            return tx.notifications.get(id_)

    row = await agent.read(read)
    if row is None:
        raise HTTPException(404, f'there is no delivery "{id_}"')
    return present.notification(row)


@router.post("/{id_:path}/retry")
async def retry(request: Request, id_: str) -> Json:
    """Try a dead notification again."""
    agent = agent_of(request)
    try:
        settled = await agent.retry(id_, author_of(request))
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return present.notification(settled.notifications[0])


@router.post("/{id_:path}/drop")
async def drop(request: Request, id_: str, asked: Dropping) -> Json:
    """Let a dead notification rest: nobody sends it, and no alert counts it."""
    agent = agent_of(request)
    try:
        settled = await agent.drop(id_, f"{asked.author} ({author_of(request)})", asked.reason)
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return present.notification(settled.notifications[0])
