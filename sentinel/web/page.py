"""The page: what is wrong now, what was, how each probe did in the last hour; rendered here, without a build step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from sentinel import __version__
from sentinel.agent.agent import Agent
from sentinel.agent.view import View
from sentinel.core.alert import Alert
from sentinel.core.notification import Notification, Settlement
from sentinel.core.operator import Silence, conditions_of, write_match
from sentinel.routing.match import Match
from sentinel.store.audit import Entry
from sentinel.web import present, words
from sentinel.web.present import Json
from sentinel.web.status import status
from sentinel.web.strips import Bar, blank, strips

if TYPE_CHECKING:
    from jinja2 import Environment

#: So much of the past is shown.
HISTORY = 25
_DEAD = 20
#: Changes that are worth a person's eye; a pending that went by is not.
_TOLD = {
    "fired": "fired",
    "rose": "rose",
    "fell": "fell",
    "resolved": "resolved",
    "relapsed": "fired again",
    "no data": "has no data",
    "data again": "has data again",
}


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("sentinel.web"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.filters |= {
        "iso": words.iso,
        "clock": words.clock,
        "ago": words.ago,
        "link": words.link,
        "sentence": words.sentence,
    }
    return made


async def page(agent: Agent, form_token: str) -> str:
    """Return the page as HTML."""
    now = agent.clock.now()
    view = agent.view
    bars, history, dead = await agent.read(lambda: _read(agent, now))
    stand = status(agent, now)
    told = {row.id: row for row in (*view.owed, *dead)}
    alerts = [_alert(agent, one) for one in view.alerts]
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            now=now,
            version=__version__,
            agent={"name": agent.settings.name, "started_at": agent.started_at},
            verdict=stand["verdict"],
            notices=stand["notices"],
            counts={
                "probes": len(view.config.probes),
                "rules": len(view.config.own_rules),
                "notifiers": len(view.config.notifiers),
            },
            firing=[one for one in alerts if one["severity"]],
            pending=[one for one in alerts if not one["severity"]],
            probes=[{**one, "bars": bars.get(one["name"]) or blank()} for one in stand["probes"]],
            jobs=stand["jobs"],
            deliveries=[_delivery(agent, row) for row in told.values()],
            silences=[_silence(view, one) for one in sorted(view.silences.values(), key=lambda one: one.ends_at)],
            notifiers=stand["notifiers"],
            history=[_event(entry) for entry in history],
            config={
                **present.config(view),
                "loaded_at": view.config.revision.loaded_at,
                "files": len(view.config.revision.files),
            },
            reload={"at": view.reload.at, "ok": view.reload.ok, "why": view.reload.why, "text": view.reload.text},
            failures=stand["failures"],
            form_token=form_token,
        )
    )


def refused(words: str) -> str:
    """Return a page that says why a form was not followed."""
    return _environment().get_template("refused.html.j2").render(words=words)


def _read(agent: Agent, now: datetime) -> tuple[dict[str, list[Bar]], list[Entry], Sequence[Notification]]:
    """Read what the view does not hold; in a reader's thread."""
    bars = strips(agent.history.head.reader(), now)
    with agent.database.read() as tx:
        entries = tx.audit.newest(HISTORY * 4, kind="transition")
        dead = tx.notifications.newest(_DEAD, Settlement.DEAD)
    return bars, [entry for entry in entries if entry.body["change"] in _TOLD][:HISTORY], dead


def _alert(agent: Agent, one: Alert) -> Json:
    view = agent.view
    held = view.held.get(one.fingerprint)
    return {
        **present.alert(view, one),
        "since": one.fired_at or one.since,
        "no_data_at": one.no_data_at,
        "told": [{"notifier": told.notifier, "at": told.at} for told in view.told.get(one.fingerprint, ())],
        "owed": [
            {"notifier": row.notifier, "words": _owed(row), "why": row.attempts[-1].error if row.attempts else ""}
            for row in view.owed
            if one.fingerprint in row.alerts
        ],
        "held": held.why if held else _silenced(view, one),
        "acknowledgement": view.acknowledged.get(one.fingerprint),
        "conditions": list(conditions_of({"rule": one.rule} | one.labels.as_dict() | {"rule": one.rule})),
    }


def _silenced(view: View, alert: Alert) -> str:
    """Say that somebody who heard of an alert hears no more of it for now; "" where that is not so."""
    one = next(view.silences.matching(alert, view.at), None)
    return f"silenced by {one.author} until {one.ends_at:%Y-%m-%d %H:%M} UTC: {one.reason}" if one else ""


def _silence(view: View, one: Silence) -> Json:
    match = Match.of(one.match)
    return {
        "id": one.id,
        "text": write_match(one.match),
        "author": one.author,
        "reason": one.reason,
        "starts_at": one.starts_at,
        "ends_at": one.ends_at,
        "waits": view.at < one.starts_at,
        "count": sum(match.matches(alert) for alert in view.alerts),
    }


def _owed(row: Notification) -> str:
    if row.settlement is Settlement.SENDING:
        return "is being told"
    return "is tried again" if row.tries else "will be told"


def _delivery(agent: Agent, row: Notification) -> Json:
    alerts = {alert.fingerprint: alert.rule for alert in agent.view.alerts}
    about = sorted({alerts.get(fingerprint, fingerprint) for fingerprint in row.alerts})
    return {
        "id": row.id,
        "notifier": row.notifier,
        "reason": str(row.reason),
        "settlement": str(row.settlement),
        "about": ", ".join(about[:3]) + (" …" if len(about) > 3 else ""),
        "error": row.attempts[-1].error if row.attempts else row.why,
        "tries": len(row.attempts),
        "created_at": row.created_at,
    }


def _event(entry: Entry) -> dict[str, Any]:
    body = entry.body
    severity = body["severity"] or ""
    said = _TOLD[body["change"]]
    return {
        "at": entry.at,
        "change": body["change"],
        "rule": body["rule"],
        "labels": body["labels"],
        "words": f"{said} ({severity})" if severity and body["change"] != "resolved" else said,
        "reason": body["reason"],
    }
