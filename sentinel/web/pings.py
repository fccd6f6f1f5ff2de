"""Pings: the calls of jobs. The answer is given when what they said is on disk."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import PlainTextResponse, Response

from sentinel.agent.jobs import NoSuchJob
from sentinel.core.errors import StoreUnavailable
from sentinel.intake.ping import HEADERS, METHODS, parse_ping
from sentinel.web.api import agent_of

router = APIRouter()


@router.api_route("/ping/{path:path}", methods=list(METHODS))
async def ping(request: Request, path: str) -> Response:
    """Take a job's call, in the dialect of healthchecks.io."""
    agent = agent_of(request)
    body = await request.body()
    try:
        await agent.ping(parse_ping(path, request.query_params, body, agent.clock.now()))
    except ValueError as exc:
        return PlainTextResponse(str(exc), 400, HEADERS)
    except NoSuchJob as exc:
        return PlainTextResponse(f"not found: {exc}", 404, HEADERS)
    except StoreUnavailable as exc:
        return PlainTextResponse(f"not stored, call again: {exc}", 503, {**HEADERS, "Retry-After": "5"})
    return PlainTextResponse("OK", 200, HEADERS)
