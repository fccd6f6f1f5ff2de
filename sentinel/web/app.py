"""The application: every page and answer behind one guard."""

from __future__ import annotations

import asyncio
from pathlib import Path
from urllib.parse import parse_qs

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp

from sentinel import __version__
from sentinel.agent.agent import Agent
from sentinel.core.errors import StoreUnavailable
from sentinel.web import api, health, pings, prometheus
from sentinel.web.auth import Door
from sentinel.web.guard import Guard
from sentinel.web.page import page

router = APIRouter()


@router.get("/", response_class=HTMLResponse)
async def show_page(request: Request) -> HTMLResponse:
    """Show the page."""
    return HTMLResponse(await page(api.agent_of(request), request.app.state.door.form_token))


@router.post("/deliveries/{id_:path}/retry")
async def retry(request: Request, id_: str) -> Response:
    """Take the page's button; the API has its own way."""
    form = parse_qs((await request.body()).decode(errors="replace"))
    if not request.app.state.door.is_ours(form.get("token", [""])[0]):
        return JSONResponse({"detail": "this form is not of this page; load the page anew"}, 403)
    try:
        await api.agent_of(request).retry(id_, f"the page, {api.author_of(request)}")
    except LookupError as exc:
        return JSONResponse({"detail": str(exc.args[0])}, 404)
    return RedirectResponse("/#deliveries", 303)


def create_app(agent: Agent) -> ASGIApp:
    """Return the application for an agent that was started."""
    app = FastAPI(title="Sentinel", version=__version__, docs_url=None, redoc_url=None, openapi_url="/api/openapi.json")
    app.state.agent = agent
    app.state.door = Door(agent.settings)
    app.state.query_turn = asyncio.Lock()
    for each in (router, health.router, pings.router, api.router, prometheus.router):
        app.include_router(each)
    app.mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    app.add_exception_handler(StoreUnavailable, _unavailable)
    return Guard(app, app.state.door)


async def _unavailable(_: Request, exc: Exception) -> Response:
    return JSONResponse({"detail": str(exc)}, 503, {"Retry-After": "5"})
