"""Pings: the calls of jobs. The answer is given when what they said is on disk.

The answers are a healthchecks server's: 200 `OK`, 201 `Created`, 400 `invalid url format`, 404 `not found`. Two of its
answers do not occur: names are unique (409), and nobody is turned away for calling often (429). Where a job is called
by its name alone, which healthchecks does not have, 400 and 404 say more.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from sentinel.agent.jobs import NoSuchJob
from sentinel.core.errors import StoreUnavailable
from sentinel.intake.ping import BODY_LIMIT, HEADERS, METHODS, address_of, parse_ping
from sentinel.web.api import agent_of

router = APIRouter()


@router.api_route("/ping/{path:path}", methods=list(METHODS), include_in_schema=False)
async def ping(request: Request, path: str) -> Response:
    """Take a job's call, in the dialect of healthchecks.io."""
    agent = agent_of(request)
    words, foreign = "", False
    try:
        address = address_of(path)
        foreign = address.foreign
        call = parse_ping(address, request.query_params, await _beginning(request), agent.clock.now())
        heartbeat = await agent.ping(call)
    except ValueError as exc:
        status, words = 400, str(exc)
    except NoSuchJob as exc:
        status, words = 404, f"not found: {exc}"
    except StoreUnavailable as exc:
        return PlainTextResponse(f"not stored, call again: {exc}", 503, {**HEADERS, "Retry-After": "5"})
    else:
        created = heartbeat.due_at is None and heartbeat.loaded_at == call.at
        return PlainTextResponse("Created" if created else "OK", 201 if created else 200, HEADERS)
    return PlainTextResponse(words.partition(":")[0] if foreign else words, status, HEADERS)


@router.options("/ping/{path:path}", include_in_schema=False)
async def preflight(path: str) -> Response:
    """Let a page in a browser send a body of any type, or a token."""
    return Response(None, 204, HEADERS)


async def _beginning(request: Request) -> bytes:
    """Read what is sent to its end, and keep what a ping keeps: a long log is no reason to lose the call."""
    kept = b""
    async for chunk in request.stream():
        kept += chunk[: BODY_LIMIT + 1 - len(kept)]
    return kept
