"""Status: how the agent and all that it watches stand, as one mapping for the API, the CLI and the page."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from sentinel import __version__
from sentinel.agent.agent import Agent
from sentinel.agent.lookout import Lookout
from sentinel.agent.view import View
from sentinel.agent.waits import Wait
from sentinel.delivery.deliver import Status
from sentinel.web import present
from sentinel.web.jobs import jobs
from sentinel.web.present import Json, instant
from sentinel.web.verdict import verdict
from sentinel.web.words import ago, length, seconds

#: For so long the page says that nobody looked before.
_REMEMBERED = timedelta(days=1)


def status(agent: Agent, now: datetime) -> Json:
    """Return how everything stands."""
    view = agent.view
    return {
        "agent": {
            "name": agent.settings.name,
            "version": __version__,
            "started_at": instant(agent.started_at),
            "listen": agent.settings.listen,
        },
        "verdict": asdict(verdict(view, blind=agent.reference.blind)),
        "notices": notices(agent, now),
        "alerts": [present.alert(view, one) for one in view.alerts if one.severity is not None],
        "silences": [present.silence(one, now) for one in view.silences.values()],
        "dead_letters": sum(agent.dead_letters.values()),
        "config": present.config(view),
        "probes": [_probe(lookout) for lookout in agent.lookouts.by_name.values()],
        "jobs": jobs(view, now),
        "notifiers": _notifiers(agent),
        "failures": dict(view.failures),
        "waits": [_wait(one) for one in agent.waits.of(view.config.rules) if one.lasted],
    }


def notices(agent: Agent, now: datetime) -> list[Json]:
    """Return what a person should know of Sentinel itself."""
    view, found = agent.view, []
    if view.unwritten_since is not None:
        lasted = length(now - view.unwritten_since)
        found.append({"tone": "bad", "words": f"Nothing can be written for {lasted}: {view.unwritten_why}"})
    if agent.outage and now - agent.started_at < _REMEMBERED:
        found.append({"tone": "warn", "words": agent.outage})
    if agent.reference.blind:
        found.append({"tone": "bad", "words": "The agent is blind: it reaches none of its reference addresses."})
    if not view.reload.ok:
        found.append({"tone": "warn", "words": f"The tree cannot be used, what was good goes on: {view.reload.why}"})
    down = [one for one in agent.couriers.status().values() if one.opened_at is not None]
    return found + [
        {"tone": "warn", "words": f"Notifier {one.name} does not deliver: {one.last_error}"} for one in down
    ]


def _probe(lookout: Lookout) -> Json:
    probe, last = lookout.probe, lookout.last
    tone, words = ("blind", "not looked yet")
    if last is not None:
        tone, words = ("good", "well") if last.success else ("bad", "failing")
        if last.excuse:
            tone, words = "warn", last.excuse
    return {
        "name": probe.name,
        "kind": probe.kind_name,
        "every": str(probe.every),
        "tone": tone,
        "tone_words": words,
        "looked_at": instant(last.batch.at) if last else None,
        "took": seconds(last.took_seconds) if last else "",
        "reason": last.reason if last else "",
        "words": last.words if last and not last.success else "",
        "runs": lookout.runs,
        "skipped": lookout.skipped,
        "origin": str(probe.position),
    }


def _wait(one: Wait) -> Json:
    """Say what a rule has no data of; one that has only just begun to look is passed over."""
    words = f"counts {one.metric}, which was never seen"
    if not one.uncounted:
        words = f"has had no data of {one.metric} for {length(one.lasted)}"
    return {"rule": one.rule, "metric": one.metric, "seconds": one.lasted.total_seconds(), "words": words}


def _notifiers(agent: Agent) -> list[Json]:
    view, now = agent.view, agent.clock.now()
    return [_notifier(one, view, now) for one in agent.couriers.status().values()]


def _notifier(one: Status, view: View, now: datetime) -> Json:
    notifier = view.config.notifiers.get(one.name)
    waiting = sum(row.notifier == one.name for row in view.owed)
    said = [f"took {one.accepted}", f"last {ago(one.accepted_at, now)}"] if one.accepted else ["took nothing yet"]
    if waiting:
        said.append(f"{waiting} waiting")
    if one.opened_at is not None:
        said.insert(0, f"{one.circuit} for {length(now - one.opened_at)}")
    if notifier and notifier.fallback:
        said.append(f"fallback {notifier.fallback}")
    tone = "bad" if one.opened_at is not None else "warn" if one.last_error else "good" if one.accepted else "blind"
    return {
        "name": one.name,
        "kind": notifier.kind_name if notifier else "",
        "tone": tone,
        "tone_words": {"bad": "does not deliver", "warn": "refused the last message", "good": "well"}.get(
            tone, "not used yet"
        ),
        "words": ", ".join(said),
        "circuit": str(one.circuit),
        "opened_at": instant(one.opened_at),
        "accepted": one.accepted,
        "refused": one.refused,
        "accepted_at": instant(one.accepted_at),
        "waiting": waiting,
        "last_error": one.last_error,
        "fallback": notifier.fallback if notifier else "",
    }
