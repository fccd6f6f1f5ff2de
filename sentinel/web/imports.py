"""Import: samples of the past, as JSON Lines, put into history by the desk, a little at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from fastapi import APIRouter, HTTPException, Request

from sentinel.core.clock import to_ms
from sentinel.store.database import Transaction
from sentinel.store.jsonlines import read_line
from sentinel.store.past import Counts, insert
from sentinel.store.stretch import Stretch
from sentinel.web.api import agent_of
from sentinel.web.present import Json

router = APIRouter(prefix="/api")

#: Lines that become one work of the desk, beside which others wait for their acknowledgements.
_LINES = 50


@router.post("/import")
async def import_(request: Request) -> Json:
    """Take samples of the past; answers when they are on disk, with how many were taken and why others were not.

    The last hour is the head's: what comes for it is "too new". All may be sent again: what is there is "duplicate".
    """
    agent = agent_of(request)
    body = await request.body()
    try:
        stretches = await agent.read(lambda: _read(body))
    except ValueError as exc:
        raise HTTPException(400, str(exc)) from None
    head, after_ms = agent.history.head, to_ms(agent.clock.now() - agent.settings.retention)
    counts: Counts = Counts()
    for at in range(0, len(stretches), _LINES):

        def write(tx: Transaction, some: Sequence[Stretch] = stretches[at : at + _LINES]) -> Counts:
            return insert(tx.samples, head, some, after_ms, head.since_ms)

        counts.update(await asyncio.wrap_future(agent.desk.write(write)))
    return {"samples": dict(counts)}


def _read(body: bytes) -> list[Stretch]:
    found = []
    for number, line in enumerate(body.splitlines(), start=1):
        try:
            found += [read_line(line)] if line.strip() else []
        except ValueError as exc:
            raise ValueError(f"line {number}: {exc}") from None
    return found
