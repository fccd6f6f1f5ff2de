"""The application: every page and answer behind one guard."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sentinel import __version__
from sentinel.agent.agent import Agent
from sentinel.core.errors import StoreUnavailable
from sentinel.web import api, audit, deliveries, explain, forms, health, imports, operators, pings, prometheus
from sentinel.web.auth import Door
from sentinel.web.guard import Guard
from sentinel.web.page import page

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def show_page(request: Request) -> HTMLResponse:
    """Show the page."""
    return HTMLResponse(await page(api.agent_of(request), request.app.state.door.form_token))


def create_app(agent: Agent) -> ASGIApp:
    """Return the application for an agent that was started."""
    app = FastAPI(title="Sentinel", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.agent = agent
    app.state.door = Door(agent.settings)
    app.state.query_turn = asyncio.Lock()
    app.include_router(router)
    for each in (forms, health, pings, api, operators, deliveries, audit, explain, imports, prometheus):
        app.include_router(each.router)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(StoreUnavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _misasked)
    return Guard(app, app.state.door)


async def _unavailable(_: Request, exc: Exception) -> Response:
    return JSONResponse({"detail": str(exc)}, 503, {"Retry-After": "5"})


async def _misasked(_: Request, exc: Exception) -> Response:
    """Say what is wrong with a request, without repeating what it held."""
    assert isinstance(exc, RequestValidationError)
    wrong = [f"{'.'.join(map(str, one['loc'][1:])) or 'the body'}: {one['msg']}" for one in exc.errors()]
    return JSONResponse({"detail": "; ".join(wrong)}, 400)
