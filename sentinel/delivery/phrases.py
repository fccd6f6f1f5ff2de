"""The words that every message is made of, whichever template it goes through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sentinel.core.labels import Labels
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity
from sentinel.notifiers.message import AlertFact, Facts, GroupFact

#: So many of the alerts that one explains are named in a message; the others are counted.
COVERED = 10


def mark(reason: Reason, severity: Severity, facts: Facts) -> str:
    """Return the word that a message begins with: how bad it is, or that it is over."""
    if reason is Reason.TEST:
        return "Test"
    news, now = facts.news, str(severity)
    if news and all(alert.over for alert in news):
        return "Resolved"
    match reason:
        case Reason.REMINDER:
            return f"Still {now}"
        case Reason.ROSE:
            was = max((alert.heard for alert in news if alert.heard and alert.heard < severity), default=None)
            return f"Now {now}, was {was}" if was else f"Now {now}"
        case Reason.ESCALATION:
            return f"Escalated, still {now}"
        case Reason.NO_DATA:
            return f"No data ({now})"
        case Reason.REROUTED:
            return f"Handed on, now {now}"
        case Reason.DIGEST:
            return f"Held back ({now})"
    return now.capitalize()


def subject(reason: Reason, notifier: str, facts: Facts) -> str:
    """Return what a message is about, in one line without its mark."""
    news = facts.news
    if reason is Reason.TEST or not news:
        return f"notifier {notifier}"
    if facts.groups:
        over = sum(alert.over for alert in news)
        return f"{counted(len(news) - over, over)} in {len(facts.groups)} groups"
    if len(news) == 1:
        alert = news[0]
        named = f"{alert.rule}{_braces(alert)}"
        said = " ".join((alert.summary or alert.reason).split())
        return f"{named}: {said}" if said else named
    rules = sorted({alert.rule for alert in news})
    named = rules[0] if len(rules) == 1 else f"{', '.join(rules[:3])}{' …' if len(rules) > 3 else ''}"
    over = sum(alert.over for alert in news)
    count = f"{len(news)} alerts" if over in (0, len(news)) else counted(len(news) - over, over)
    return f"{named}: {count}"


def counted(firing: int, over: int) -> str:
    """Return how many alerts go on and how many ended: `12 alerts, 3 resolved`."""
    alerts = f"{firing} alert{'' if firing == 1 else 's'}"
    return f"{alerts}, {over} resolved" if firing and over else f"{over} resolved" if over else alerts


def remarks(reason: Reason, notifier: str, late_by: timedelta, facts: Facts) -> list[str]:
    """Return what is to be said of the message itself: that it is a test, that it is late."""
    said = []
    if reason is Reason.TEST:
        said.append(f"This is a test. If you can read it, the notifier {notifier} works.")
    if reason is Reason.DIGEST:
        said.append(f"More was due than the rate limit of {notifier} lets through: this tells it together.")
    if reason is Reason.REROUTED and not all(alert.over for alert in facts.news):
        said.append("It has gone to another route; it is told here again only when it is over.")
    if late_by:
        said.append(f"This message is {duration(late_by)} late: it could not be delivered before.")
    return said


def footer(facts: Facts) -> str:
    """Return who speaks, when, and by which route."""
    return f"Sentinel on {facts.agent}, {clock(facts.at, None)}" + (f", route {facts.route}" if facts.route else "")


def alert_words(alert: AlertFact, at: datetime) -> Mapping[str, Any]:
    """Return one alert as templates see it."""
    headline = f"{state(alert)}  {alert.rule}{_braces(alert)}"
    value = f": {alert.value}" if alert.value else ""
    since = f", since {clock(alert.since, at)}" if alert.since else ""
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "labels": dict(alert.labels),
        "severity": str(alert.severity),
        "state": alert.state,
        "over": alert.over,
        "value": alert.value,
        "threshold": alert.threshold,
        "reason": alert.reason,
        "summary": alert.summary.strip(),
        "description": alert.description.strip(),
        "runbook": alert.runbook,
        "dashboard": alert.dashboard,
        "owner": alert.owner,
        "origin": str(alert.origin),
        "headline": headline,
        "details": details(alert, at),
        "brief": f"{headline}{value}{since}",
    }


def group_words(group: GroupFact) -> Mapping[str, Any]:
    """Return one group of a digest as templates see it."""
    named = f"{group.route}{Labels.of(group.labels)}" if group.labels else group.route
    severity = str(group.severity).upper() if group.firing else f"RESOLVED ({group.severity})"
    return {
        "headline": f"{severity}  {named}: {counted(group.firing, group.over)}",
        "over": not group.firing,
        "severity": str(group.severity),
        "runbook": group.runbook,
        "dashboard": group.dashboard,
    }


def details(alert: AlertFact, at: datetime) -> list[tuple[str, str]]:
    """Return what is known of an alert, as pairs of a name and a text; what is not known is left out."""
    pairs = []
    if alert.value or alert.threshold:
        limit = f" (threshold: {alert.threshold})" if alert.threshold else ""
        last = ", the last one known" if alert.value and alert.state == "no data" else ""
        pairs.append(("value", f"{alert.value or 'unknown'}{last}{limit}"))
    if alert.over and alert.since and alert.ended_at and alert.lasted is not None:
        span = f"{clock(alert.since, at)} to {clock(alert.ended_at, at)}"
        pairs.append(("lasted", f"{duration(alert.lasted)}, {span}"))
    elif alert.since:
        pairs.append(("since", _since(alert.since, at)))
    if alert.state == "no data" and alert.unknown_since:
        pairs.append(("no data", f"since {_since(alert.unknown_since, at)}"))
    if alert.reason:
        pairs.append(("because", alert.reason))
    if alert.covers and not alert.over:
        more = len(alert.covers) - COVERED
        others = f" and {more} more" if more > 0 else ""
        pairs.append(("covers", f"{', '.join(alert.covers[:COVERED])}{others}, not told while this goes on"))
    if alert.owner:
        pairs.append(("owner", alert.owner))
    if str(alert.origin):
        pairs.append(("rule at", str(alert.origin)))
    return pairs


def state(alert: AlertFact) -> str:
    """Return how an alert stands, in one word or two."""
    match alert.state:
        case "resolved":
            return f"RESOLVED ({alert.severity})"
        case "no data":
            return f"NO DATA ({alert.severity})"
        case "recovering":
            return f"{str(alert.severity).upper()} (recovering)"
    return str(alert.severity).upper()


def duration(span: timedelta) -> str:
    """Return a length of time with its two largest units: `2m 10s`, `3h 5m`, `9d 4h`."""
    seconds = max(0, round(span.total_seconds()))
    if seconds >= 3600:
        seconds -= seconds % 60
    parts: list[tuple[int, str]] = []
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, unit))
    return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def clock(instant: datetime, beside: datetime | None) -> str:
    """Return a time of day in UTC, with its date unless it is the day of `beside`."""
    time = f"{instant.hour:02}:{instant.minute:02} UTC"  # strftime takes ten times as long
    return time if beside and beside.date() == instant.date() else f"{instant.date()} {time}"


def highest(alerts: Sequence[AlertFact], default: Severity) -> Severity:
    """Return the severity that a message about these alerts has."""
    going_on = [alert.severity for alert in alerts if not alert.over]
    return max(going_on or [alert.severity for alert in alerts], default=default)


def _since(instant: datetime, at: datetime) -> str:
    ago = duration(at - instant)
    return clock(instant, at) if ago == "0s" else f"{clock(instant, at)} ({ago})"


def _braces(alert: AlertFact) -> str:
    return str(Labels.of(alert.labels)) if alert.labels else ""
