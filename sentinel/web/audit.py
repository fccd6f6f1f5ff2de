"""The audit over HTTP: what happened, whether its chain is whole, all of it as lines, and the past taken off."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sentinel.agent.agent import Agent
from sentinel.store.chain import to_line
from sentinel.web import present
from sentinel.web.api import agent_of, author_of
from sentinel.web.present import Json

router = APIRouter(prefix="/api/audit")

#: So many rows are read at a time, so that no reader holds on to an old state of the file.
_PAGE = 1000


class Pruning(BaseModel):
    """Which rows to remove, and who wants it."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    through: int = Field(ge=1)
    author: str = Field(min_length=1, max_length=1000)


@router.get("")
async def audit(
    request: Request, limit: Annotated[int, Query(ge=1, le=1000)] = 100, kind: str = "", subject: str = ""
) -> Json:
    """List what happened, the newest first."""
    agent = agent_of(request)

    def read() -> list[Json]:
        with agent.database.read() as tx:
            entries = tx.audit.newest(limit, kind=kind or None, subject=subject or None)
        return [
            {"seq": e.seq, "at": present.instant(e.at), "kind": e.kind, "subject": e.subject, "body": dict(e.body)}
            for e in entries
        ]

    return {"audit": await agent.read(read)}


@router.get("/verify")
async def verify(request: Request, seq: int = 0) -> Json:
    """Go through the whole chain, and say what is wrong with it; with `seq`, that row's hash as well."""
    agent = agent_of(request)

    def read() -> Json:
        with agent.database.read() as tx:
            return tx.audit.verdict(seq)

    return await agent.read(read)


@router.get("/export")
async def export(request: Request, before: AwareDatetime | None = None) -> Response:
    """Write all rows, or those before an instant, as JSON Lines, the oldest first."""
    return StreamingResponse(_lines(agent_of(request), before), media_type="application/x-ndjson")


@router.post("/prune")
async def prune(request: Request, asked: Pruning) -> Json:
    """Remove the rows up to a number; one stays that carries the chain on."""
    agent = agent_of(request)
    try:
        removed = await agent.prune_audit(asked.through, f"{asked.author} ({author_of(request)})")
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return {"removed": removed}


async def _lines(agent: Agent, before: datetime | None) -> AsyncIterator[bytes]:
    after = 0
    while True:
        page, after = await agent.read(partial(_page, agent, after, before))
        if not page:
            return
        yield page


def _page(agent: Agent, after: int, before: datetime | None) -> tuple[bytes, int]:
    with agent.database.read() as tx:
        links = list(islice(tx.audit.links(after, before), _PAGE))
    return b"".join(f"{to_line(link)}\n".encode() for link in links), links[-1].seq if links else after
