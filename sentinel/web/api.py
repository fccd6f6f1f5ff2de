"""The API: what the agent knows as JSON, and the few things that it can be asked to do."""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import APIRouter, HTTPException, Request

from sentinel.agent.agent import Agent
from sentinel.web import present
from sentinel.web.present import Json
from sentinel.web.status import status

router = APIRouter(prefix="/api")


def agent_of(request: Request) -> Agent:
    """Return the agent that the application was made for."""
    agent: Agent = request.app.state.agent
    return agent


@router.get("/alerts")
async def alerts(request: Request) -> Json:
    """List the alerts that go on, those that are pending included, the gravest first."""
    view = agent_of(request).view
    return {"at": present.instant(view.at), "alerts": [present.alert(view, one) for one in view.alerts]}


@router.get("/status")
async def show_status(request: Request) -> Json:
    """Say how the agent and all that it watches stand."""
    agent = agent_of(request)
    return status(agent, agent.clock.now())


@router.get("/rules")
async def rules(request: Request) -> Json:
    """List the rules: what each compiles to, and how many alerts it has."""
    view = agent_of(request).view
    return {
        "rules": [
            {
                "name": rule.name,
                "form": rule.form_name,
                "expr": str(rule.compiled.expr),
                "thresholds": {str(level): str(threshold) for level, threshold in rule.thresholds.items()},
                "owner": rule.owner,
                "origin": str(rule.origin),
                "builtin": rule.position.file not in view.config.revision.files,
                "failure": view.failures.get(rule.name, ""),
                "alerts": sum(alert.rule == rule.name for alert in view.alerts),
            }
            for rule in view.config.rules.values()
        ]
    }


@router.post("/reload")
async def reload(request: Request) -> Json:
    """Load the tree now."""
    return present.reload(await agent_of(request).load())


@router.post("/notifiers/{name}/test")
async def notify_test(request: Request, name: str) -> Json:
    """Send a test message at once, past the outbox."""
    agent = agent_of(request)
    try:
        result = await agent.notify_test(name)
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return {
        "notifier": name,
        "accepted": result.error is None,
        "error": str(result.error or ""),
        "receipt": dict(result.receipt or {}),
        "took_seconds": result.took_seconds,
    }


def author_of(request: Request) -> str:
    """Return who asks, as far as anybody knows: which token, and from where."""
    authorization = request.headers.get("authorization", "")
    token = f"token {hashlib.sha256(authorization.encode()).hexdigest()[:8]}" if authorization else "nobody known"
    client: Any = request.client
    return f"{token} at {client.host}" if client else token
