"""The API: what the agent knows as JSON, and the few things that it can be asked to do."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request

from sentinel.agent.agent import Agent
from sentinel.core.problem import near
from sentinel.web import present
from sentinel.web.jobs import jobs
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


@router.get("/jobs/{name}")
async def show_job(request: Request, name: str) -> Json:
    """Say how a job stands, with all that is kept of what it sent last."""
    agent = agent_of(request)
    found = {one["name"]: one for one in jobs(agent.view, agent.clock.now())}
    if name not in found:
        hint = near(name, set(found), "jobs")
        raise HTTPException(404, f'there is no job "{name}"{"; " + hint if hint else ""}')
    heartbeat = agent.view.heartbeats.get(name)
    return {**found[name], "output": heartbeat.body if heartbeat else ""}


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
    token, client = request.app.state.door.bearer(request.headers), request.client
    who = f"token {token.name or token.digest.hex()[:8]}" if token else "nobody known"
    return f"{who} at {client.host}" if client else who
