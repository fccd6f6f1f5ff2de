"""Inquiry: explain a rule or an alert. Readers evaluate and read, the desk only lays that beside what it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sentinel.agent.operators import PREFIX_AT_LEAST, named
from sentinel.agent.readings import source_of
from sentinel.core.alert import Alert, Observed
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, fingerprint
from sentinel.core.problem import near
from sentinel.engine.decide import known
from sentinel.engine.explain import Explanation, Happening, Past, explain
from sentinel.rules.blind import nothing
from sentinel.rules.observe import observe
from sentinel.rules.rule import Rule
from sentinel.store.audit import Entry
from sentinel.store.remote import RemoteUnavailable

if TYPE_CHECKING:
    from sentinel.agent.agent import Agent

#: So much of an alert's past is shown, and of so many alerts of one rule.
_DELIVERIES, _HAPPENINGS, _ALERTS = 20, 30, 50


@dataclass(frozen=True, slots=True)
class Ended:
    """An alert that is over: what is left of it in the database."""

    fingerprint: str
    rule: str
    labels: Labels
    past: Past


async def inquire(agent: Agent, word: str) -> Explanation | Ended:
    """Explain a rule by its name, or an alert by its fingerprint or the beginning of it, also one that is over.

    Raises:
        LookupError: nothing is called so; the text names what is near.
    """
    view = agent.view
    if rule := view.config.rules.get(word):
        return await _explained(agent, rule, [alert for alert in view.alerts if alert.rule == word])
    try:
        [alert] = named(word, view.alerts)
    except LookupError as exc:
        if (ended := await agent.read(lambda: _ended(agent, word))) is not None:
            return ended
        hint = near(word, set(view.config.rules))
        raise LookupError(f'there is no rule and no alert "{word}"{"; " + hint}' if hint else exc.args[0]) from None
    return await _explained(agent, view.config.rules[alert.rule], [alert], only=alert.labels)


async def _explained(agent: Agent, rule: Rule, alerts: list[Alert], only: Labels | None = None) -> Explanation:
    now, history = agent.clock.now(), agent.history

    def read() -> tuple[list[Observed] | str, Mapping[str, Past], str]:
        past = _past(agent, {alert.fingerprint: alert.labels for alert in alerts[:_ALERTS]})
        try:
            with source_of(rule, agent.view.config.probes, history) as source:
                seen = observe(rule, now, source, known({alert.fingerprint: alert for alert in alerts}), every=True)
                why = "" if seen else nothing(rule, now, source)
        except (QueryInvalid, RemoteUnavailable) as exc:
            return str(exc), past, ""
        return [one for one in seen if only in (None, one.labels)], past, why

    seen, past, why = await agent.read(read)
    desk = agent.desk
    return await asyncio.wrap_future(
        desk.ask(lambda: explain(rule, seen, desk.config.policy, desk.state, now, past, why)),
    )


def _past(agent: Agent, alerts: Mapping[str, Labels]) -> dict[str, Past]:
    jobs = agent.view.heartbeats
    with agent.database.read() as tx:
        return {
            one: Past(
                tuple(tx.notifications.newest(_DELIVERIES, about=one)),
                tuple(_happening(entry) for entry in tx.audit.newest(_HAPPENINGS, subject=one)),
                job.last_lines if (job := jobs.get(labels.get("job", ""))) else "",
            )
            for one, labels in alerts.items()
        }


def _ended(agent: Agent, word: str) -> Ended | None:
    """Find an alert that is over by what it left in the audit."""
    if len(word) < PREFIX_AT_LEAST:
        return None
    with agent.database.read() as tx:
        found = tx.audit.last_about(word, "transition")
    if found is None:
        return None
    labels = Labels.of(found.body["labels"])
    key = fingerprint(found.body["rule"], labels)
    return Ended(key, found.body["rule"], labels, _past(agent, {key: labels})[key])


def _happening(entry: Entry) -> Happening:
    body = entry.body
    if entry.kind == "transition":
        severity = f" ({body['severity']})" if body["severity"] else ""
        return Happening(entry.at, f"{body['change']}{severity}: {body['reason']}")
    why = f": {body['reason']}" if body.get("reason") else ""
    return Happening(entry.at, f"{entry.kind} {body.get('change', '')} by {body.get('author', 'nobody known')}{why}")
