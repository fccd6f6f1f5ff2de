"""The page's forms: each carries our token, and leads back to the page; the API has its own way."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from sentinel.agent.operators import Asked, named
from sentinel.web.api import agent_of, author_of
from sentinel.web.operators import NewSilence, Taking, silence_of, take
from sentinel.web.page import refused

router = APIRouter()

Form = dict[str, str]


@router.post("/forms/ack/{fingerprint}")
async def acknowledge(request: Request, fingerprint: str) -> Response:
    """Take an alert in hand."""

    async def do(form: Form) -> None:
        asked = Taking(author=form["author"], reason=form["reason"], **{"for": form["for"]})
        await take(request, partial(named, fingerprint), asked)

    return await _done(request, do, "now")


@router.post("/forms/unack/{fingerprint}")
async def unacknowledge(request: Request, fingerprint: str) -> Response:
    """Let go of an alert."""

    async def do(form: Form) -> None:
        who = Asked(form.get("author") or "the page", "", author_of(request))
        await agent_of(request).operators.unacknowledge(partial(named, fingerprint), who)

    return await _done(request, do, "now")


@router.post("/forms/silence")
async def silence(request: Request) -> Response:
    """Silence what the conditions in the form match."""

    async def do(form: Form) -> None:
        conditions = [one for one in form["match"].split("\n") if one.strip()]
        asked = NewSilence(match=conditions, author=form["author"], reason=form["reason"], **{"for": form["for"]})
        await agent_of(request).operators.silence(
            silence_of(asked, agent_of(request).clock.now()), f"the page, {author_of(request)}"
        )

    return await _done(request, do, "silences")


@router.post("/forms/silences/{id_}/end")
async def end_silence(request: Request, id_: str) -> Response:
    """End a silence before its time."""

    async def do(form: Form) -> None:
        who = Asked(form.get("author") or "the page", "", author_of(request))
        await agent_of(request).operators.end_silence(id_, who)

    return await _done(request, do, "silences")


@router.post("/forms/deliveries/{id_:path}/retry")
async def retry(request: Request, id_: str) -> Response:
    """Try a dead notification again."""

    async def do(_: Form) -> None:
        await agent_of(request).retry(id_, f"the page, {author_of(request)}")

    return await _done(request, do, "deliveries")


@router.post("/forms/deliveries/{id_:path}/drop")
async def drop(request: Request, id_: str) -> Response:
    """Let a dead notification rest."""

    async def do(_: Form) -> None:
        await agent_of(request).drop(id_, f"the page, {author_of(request)}", "by hand")

    return await _done(request, do, "deliveries")


async def _done(request: Request, do: Callable[[Form], Awaitable[None]], anchor: str) -> Response:
    """Do what a form of ours asks for, and go back to the page; else say in words why not."""
    fields = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
    form = {name: values[0].strip() for name, values in fields.items()}
    if not request.app.state.door.is_ours(form.get("token", "")):
        return HTMLResponse(refused("this form is not of this page, or of one before the agent's restart"), 403)
    try:
        await do(form)
    except LookupError as exc:
        missing = isinstance(exc, KeyError)
        words = f"the form lacks {exc.args[0]}" if missing else str(exc.args[0])
        return HTMLResponse(refused(words), 400 if missing else 404)
    except HTTPException as exc:
        return HTMLResponse(refused(str(exc.detail)), exc.status_code)
    except ValueError:
        return HTMLResponse(refused("a name and a reason are needed, each of at most 1000 letters"), 400)
    return RedirectResponse(f"/#{anchor}", 303)
