"""Explain over HTTP: how a rule or an alert stands, stage by stage, and why each notifier was told, or was not."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request

from sentinel.agent.inquiry import Ended, inquire
from sentinel.engine.account import lines, past_lines
from sentinel.engine.explain import Element, Explanation, Past
from sentinel.web import present
from sentinel.web.api import agent_of
from sentinel.web.present import Json

router = APIRouter(prefix="/api")


@router.get("/rules/{name}/explain")
@router.get("/alerts/{name}/explain")
async def explain(request: Request, name: str) -> Json:
    """Explain a rule by its name, an alert by its fingerprint or the beginning of it, also one that is over."""
    try:
        found = await inquire(agent_of(request), name)
    except LookupError as exc:
        raise HTTPException(404, str(exc.args[0])) from None
    return _ended(found) if isinstance(found, Ended) else _standing(found)


def _standing(found: Explanation) -> Json:
    return {
        "rule": found.rule.name,
        "at": present.instant(found.at),
        "promql": found.promql,
        "origin": str(found.rule.origin),
        "thresholds": {str(level): text for level, text in found.thresholds.items()},
        "failure": found.failure,
        "rests": found.rests,
        "nothing": found.nothing,
        "elements": [_element(element) for element in found.elements],
        "text": "\n".join(lines(found)),
    }


def _element(one: Element) -> Json:
    alert = one.alert
    return {
        "labels": one.labels.as_dict(),
        "reason": one.reason,
        "conditions": {str(level): str(condition) for level, condition in one.conditions.items()},
        "fingerprint": alert.fingerprint if alert else None,
        "phase": str(alert.phase) if alert else None,
        "severity": present.level(alert.severity) if alert else None,
        "stages": [{"stage": stage.name, "words": stage.words, "stops": stage.stops} for stage in one.stages],
        "notifiers": sorted({name for place in one.places for name in place.notifiers}),
        "hearers": [{"notifier": one.notifier, "told": one.told, "words": one.words} for one in one.hearers],
        **_past(one.past),
    }


def _ended(found: Ended) -> Json:
    head = [f"{found.rule}{found.labels}", f"    alert      {found.fingerprint}  it is over"]
    return {
        "rule": found.rule,
        "labels": found.labels.as_dict(),
        "fingerprint": found.fingerprint,
        "phase": "inactive",
        **_past(found.past),
        "text": "\n".join([*head, *past_lines(found.past)]),
    }


def _past(past: Past) -> Json:
    return {
        "deliveries": [present.notification(row) for row in past.deliveries],
        "history": [{"at": present.instant(one.at), "words": one.words} for one in past.happenings],
        "job_output": past.said,
    }
