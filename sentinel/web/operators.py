"""Silences and acknowledgements over HTTP; each answer that says so comes after the commit."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, HTTPException, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from sentinel.agent.agent import Agent
from sentinel.agent.operators import Asked, matched, named
from sentinel.agent.preview import Preview, preview
from sentinel.core.alert import Alert
from sentinel.core.operator import Acknowledgement, Silence, parse_match
from sentinel.core.quantity import parse_duration
from sentinel.routing.match import Match
from sentinel.web import present
from sentinel.web.api import agent_of, author_of
from sentinel.web.present import Json

router = APIRouter(prefix="/api")

#: What an acknowledgement lasts unless somebody says otherwise.
ACKNOWLEDGED_FOR = timedelta(hours=8)
_PAST = ("ended", "expired")

Words = Annotated[str, Field(min_length=1, max_length=1000)]
Conditions = dict[str, str | list[str]] | list[str]


class _Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


class NewSilence(_Asked):
    """What to silence: conditions as a route's `match` has them, or as people type them; and until when."""

    match: Conditions
    author: Words
    reason: Words
    lasts: str = Field("", alias="for")
    starts_at: AwareDatetime | None = None
    ends_at: AwareDatetime | None = None


class WhatToSilence(_Asked):
    """Conditions alone."""

    match: Conditions


class Taking(_Asked):
    """Who takes something in hand."""

    author: Words
    reason: str = Field("", max_length=1000)
    lasts: str = Field("", alias="for")


class TakingMany(Taking):
    """And what, by conditions."""

    match: Conditions


class LettingGo(_Asked):
    """Who ends something."""

    author: Words
    reason: str = Field("", max_length=1000)


@router.get("/silences")
async def silences(request: Request, past: bool = False, limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Json:
    """List the silences that hold or will, the next to end first; those that are over if asked, the last first."""
    agent = agent_of(request)

    def read() -> tuple[list[Silence], list[Json]]:
        with agent.database.read() as tx:
            entries = tx.audit.newest(limit, kind="silence") if past else []
            return tx.silences.all(), [
                {"id": one.subject, **one.body} for one in entries if one.body["change"] in _PAST
            ]

    present_ones, over = await agent.read(read)
    present_ones.sort(key=lambda one: (one.ends_at, one.id))
    return {"silences": [shown(agent, one) for one in present_ones], "past": over}


@router.post("/silences")
async def silence(request: Request, asked: NewSilence) -> Json:
    """Stop the telling of what these conditions match; says what that is now, and warns where it is nothing."""
    agent = agent_of(request)
    made = silence_of(asked, agent.clock.now())
    await agent.operators.silence(made, author_of(request))
    return shown(agent, made)


@router.post("/silences/preview")
async def preview_silence(request: Request, asked: WhatToSilence) -> Json:
    """Say what these conditions match now; nothing is silenced."""
    view = agent_of(request).view
    return covered(agent_of(request), preview(view, match_of(asked.match)))


@router.delete("/silences/{id_}")
async def end_silence(request: Request, id_: str, asked: LettingGo) -> Json:
    """End a silence before its time; what still fires is told now."""
    agent = agent_of(request)
    try:
        over = await agent.operators.end_silence(id_, Asked(asked.author, asked.reason, author_of(request)))
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return present.silence(over, agent.clock.now())


@router.post("/alerts/ack")
async def acknowledge_matching(request: Request, asked: TakingMany) -> Json:
    """Take every alert in hand that these conditions match."""
    match = match_of(asked.match)
    return await take(request, lambda alerts: matched(match, alerts), asked)


@router.post("/alerts/{name}/ack")
async def acknowledge(request: Request, name: str, asked: Taking) -> Json:
    """Take an alert in hand, by its fingerprint, the beginning of it, or its rule's name."""
    return await take(request, lambda alerts: named(name, alerts), asked)


@router.delete("/alerts/{name}/ack")
async def unacknowledge(request: Request, name: str, asked: LettingGo) -> Json:
    """Let go of an alert again: reminders and escalation go on."""
    agent = agent_of(request)
    who = Asked(asked.author, asked.reason, author_of(request))
    try:
        let_go = await agent.operators.unacknowledge(lambda alerts: named(name, alerts), who)
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return {"acknowledgements": [_taken(agent, one) for one in let_go]}


async def take(request: Request, choose: Callable[[Iterable[Alert]], list[Alert]], asked: Taking) -> Json:
    """Take what is chosen in hand; returns what that is.

    Raises:
        HTTPException: nothing was chosen, or the duration is none.
    """
    agent = agent_of(request)
    lasts = lasting(asked.lasts) if asked.lasts else ACKNOWLEDGED_FOR
    who = Asked(asked.author, asked.reason, author_of(request))
    try:
        taken = await agent.operators.acknowledge(choose, who, agent.clock.now() + lasts)
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return {"acknowledgements": [_taken(agent, one) for one in taken]}


def silence_of(asked: NewSilence, now: datetime) -> Silence:
    """Make the silence that somebody asks for.

    Raises:
        HTTPException: it cannot be meant; the text says why.
    """
    match = match_of(asked.match)
    starts_at = asked.starts_at or now
    if (asked.ends_at is None) == (not asked.lasts):
        raise HTTPException(400, "give either for (2h) or ends_at (2026-01-01T12:00:00Z)")
    ends_at = asked.ends_at or starts_at + lasting(asked.lasts)
    if ends_at <= max(starts_at, now):
        raise HTTPException(400, "the silence would end before it began" if ends_at > now else "the end is in the past")
    wanted = {key: values[0] if len(values) == 1 else values for key, values in match.wanted}
    return Silence(secrets.token_hex(4), wanted, asked.author, asked.reason, starts_at, ends_at)


def match_of(given: Conditions) -> Match:
    """Read conditions.

    Raises:
        HTTPException: they are none; the text says why, and how they are written.
    """
    try:
        match = Match.of(parse_match(given) if isinstance(given, list) else given)
    except ValueError as exc:
        raise HTTPException(400, str(exc)) from None
    if match.everything:
        raise HTTPException(400, "name at least one condition: rule=queue-*; severity=info+ is all there is")
    return match


def lasting(text: str) -> timedelta:
    """Read how long something lasts.

    Raises:
        HTTPException: it is no duration, or none that lasts.
    """
    try:
        lasts = parse_duration(text)
    except ValueError as exc:
        raise HTTPException(400, str(exc)) from None
    if lasts <= timedelta():
        raise HTTPException(400, f'"{text}" lasts no time at all')
    return lasts


def shown(agent: Agent, one: Silence) -> Json:
    """Write a silence with what it covers now."""
    return {
        **present.silence(one, agent.clock.now()),
        **covered(agent, preview(agent.view, Match.of(dict(one.match)))),
    }


def covered(agent: Agent, found: Preview) -> Json:
    """Write what conditions cover."""
    return {
        "alerts": [present.alert(agent.view, one) for one in found.alerts],
        "rules": list(found.rules),
        "warning": found.warning,
    }


def _taken(agent: Agent, one: Acknowledgement) -> Json:
    alert = next((alert for alert in agent.view.alerts if alert.fingerprint == one.fingerprint), None)
    about = {"rule": alert.rule, "labels": alert.labels.as_dict()} if alert else {"rule": "", "labels": {}}
    return {"fingerprint": one.fingerprint, **about, **present.acknowledgement(one)}
