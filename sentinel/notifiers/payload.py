"""A message as JSON: what the webhook's own format holds, and the names that a template of one's own may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sentinel.notifiers.prometheus_alert import rfc3339

if TYPE_CHECKING:
    from sentinel.notifiers.message import AlertFact, GroupFact, Message

#: Raised when a name goes or changes its meaning; names that come raise nothing.
VERSION = 1


def payload(message: Message) -> dict[str, Any]:
    """Return the document: its version, a type such as `alert.no_data`, the time of its words, and `data`."""
    return {
        "version": VERSION,
        "type": f"alert.{str(message.reason).replace(' ', '_')}",
        "timestamp": rfc3339(message.facts.at),
        "data": data(message),
    }


def data(message: Message) -> dict[str, Any]:
    """Return what is known, as plain values."""
    facts = message.facts
    return {
        "key": message.key,
        "agent": facts.agent,
        "notifier": message.notifier,
        "reason": str(message.reason),
        "severity": str(message.severity),
        "resolved": message.resolved,
        "title": message.title,
        "text": message.text,
        "late_seconds": int(message.late_by.total_seconds()),
        "route": facts.route,
        "group": dict(facts.labels),
        "group_key": facts.group,
        "groups": [_group(group) for group in facts.groups],
        "alerts": [_alert(alert) for alert in facts.alerts],
    }


def _group(group: GroupFact) -> dict[str, Any]:
    return {
        "group_key": group.group,
        "route": group.route,
        "group": dict(group.labels),
        "severity": str(group.severity),
        "firing": group.firing,
        "resolved": group.over,
    }


def _alert(alert: AlertFact) -> dict[str, Any]:
    return {
        "fingerprint": alert.fingerprint,
        "rule": alert.rule,
        "labels": dict(alert.labels),
        "rule_labels": dict(alert.rule_labels),
        "severity": str(alert.severity),
        "state": alert.state,
        "news": alert.news,
        "value": alert.value,
        "threshold": alert.threshold,
        "reason": alert.reason,
        "since": rfc3339(alert.since) if alert.since else None,
        "ended_at": rfc3339(alert.ended_at) if alert.ended_at else None,
        "summary": alert.summary.strip(),
        "description": alert.description.strip(),
        "runbook": alert.runbook,
        "dashboard": alert.dashboard,
        "owner": alert.owner,
        "file": alert.origin.file,
        "line": alert.origin.line,
        "commit": alert.origin.commit,
        "author": alert.origin.author,
    }
