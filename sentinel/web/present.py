"""Present: how alerts, notifications and the rest are written in answers, the same for API, CLI and page."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sentinel.agent.view import Reload, View
from sentinel.core.alert import Alert
from sentinel.core.notification import Notification
from sentinel.core.operator import Acknowledgement, Silence, write_match
from sentinel.core.problem import Problem
from sentinel.core.severity import Severity

Json = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """Write an instant in RFC 3339, UTC, to the millisecond."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def level(severity: Severity | None) -> str | None:
    """Write a severity."""
    return None if severity is None else str(severity)


def alert(view: View, one: Alert) -> Json:
    """Write an alert, who heard of it, and why others did not."""
    held = view.held.get(one.fingerprint)
    silenced = next(view.silences.matching(one, view.at), None)
    return {
        "fingerprint": one.fingerprint,
        "rule": one.rule,
        "labels": one.labels.as_dict(),
        "rule_labels": dict(one.rule_labels),
        "phase": str(one.phase),
        "severity": level(one.severity),
        "pending_severity": level(max(one.standings, default=None)),
        "peak": level(one.peak),
        "value": one.value,
        "value_text": one.texts.get("value", ""),
        "threshold": one.threshold,
        "reason": one.reason,
        "since": instant(one.since),
        "fired_at": instant(one.fired_at),
        "changed_at": instant(one.changed_at),
        "unknown_since": instant(one.unknown_since),
        "no_data_at": instant(one.no_data_at),
        "summary": one.texts.get("summary", ""),
        "description": one.texts.get("description", ""),
        "runbook": one.texts.get("runbook", ""),
        "dashboard": one.texts.get("dashboard", ""),
        "owner": one.owner,
        "origin": {
            "file": one.origin.file,
            "line": one.origin.line,
            "commit": one.origin.commit,
            "author": one.origin.author,
        },
        "told": [
            {"notifier": told.notifier, "at": instant(told.at), "severity": level(told.severity)}
            for told in view.told.get(one.fingerprint, ())
        ],
        "owed": [notification(owed) for owed in view.owed if one.fingerprint in owed.alerts],
        "acknowledged": acknowledgement(ack) if (ack := view.acknowledged.get(one.fingerprint)) else None,
        "silenced": silence(silenced, view.at) if silenced else None,
        "held": None if held is None else {"why": held.why, "until": instant(held.until)},
        "why": list(view.reasons.get(one.fingerprint, ())),
    }


def silence(one: Silence, now: datetime) -> Json:
    """Write a silence."""
    return {
        "id": one.id,
        "match": {key: value if isinstance(value, str) else list(value) for key, value in one.match.items()},
        "text": write_match(one.match),
        "author": one.author,
        "reason": one.reason,
        "starts_at": instant(one.starts_at),
        "ends_at": instant(one.ends_at),
        "state": "pending" if now < one.starts_at else "active" if now < one.ends_at else "over",
    }


def acknowledgement(one: Acknowledgement) -> Json:
    """Write who has an alert in hand."""
    return {"author": one.author, "reason": one.reason, "at": instant(one.at), "ends_at": instant(one.ends_at)}


def notification(one: Notification) -> Json:
    """Write a notification and its attempts, without its words."""
    return {
        "id": one.id,
        "notifier": one.notifier,
        "group": one.group,
        "reason": str(one.reason),
        "alerts": list(one.alerts),
        "severity": str(one.severity),
        "settlement": str(one.settlement),
        "created_at": instant(one.created_at),
        "due_at": instant(one.due_at),
        "next_at": instant(one.next_at),
        "tries": one.tries,
        "why": one.why,
        "fallback_of": one.fallback_of,
        "attempts": [
            {"at": instant(attempt.at), "error": attempt.error, "took_seconds": attempt.took_seconds}
            for attempt in one.attempts
        ],
    }


def problem(one: Problem) -> Json:
    """Write a finding about the configuration."""
    return {
        "check": one.check,
        "severity": str(one.severity),
        "file": one.position.file,
        "line": one.position.line,
        "column": one.position.column,
        "says": one.says,
        "fix": one.fix,
    }


def reload(one: Reload) -> Json:
    """Write how the last attempt to load the tree ended."""
    return {
        "at": instant(one.at),
        "ok": one.ok,
        "why": one.why,
        "revision": one.revision,
        "problems": [problem(found) for found in one.problems],
        "text": one.text,
    }


def config(view: View) -> Json:
    """Write which configuration runs."""
    revision = view.config.revision
    return {
        "revision": revision.id,
        "commit": revision.commit,
        "author": revision.author,
        "dirty": revision.dirty,
        "loaded_at": instant(revision.loaded_at),
        "files": sorted(revision.files),
        "probes": len(view.config.probes),
        "rules": len(view.config.rules),
        "notifiers": len(view.config.notifiers),
        "last_reload": reload(view.reload),
    }
