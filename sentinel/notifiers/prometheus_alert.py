"""An alert as Prometheus and Alertmanager write it: labels, annotations, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sentinel.core.severity import Severity

if TYPE_CHECKING:
    from sentinel.notifiers.message import AlertFact, Message

#: Go's zero time: the end of an alert that goes on.
NEVER = "0001-01-01T00:00:00Z"


def labels_of(alert: AlertFact, severity: Severity | None = None) -> dict[str, str]:
    """Return the labels that are an alert's identity there.

    The severity is one of them, so an alert that rises is another one. An alert of a rule file has its own, no more.

    Args:
        alert: which.
        severity: instead of the one that it has.
    """
    if alert.annotations is not None:
        return dict(sorted(alert.labels.items()))
    own = {"severity": str(severity or alert.severity), "owner": alert.owner, **alert.labels, **alert.rule_labels}
    return {name: value for name, value in sorted({**own, "alertname": alert.rule}.items()) if value}


def annotations_of(alert: AlertFact) -> dict[str, str]:
    """Return what is said of it, under the names that Prometheus's users know; what is not known is left out."""
    if alert.annotations is not None:
        return dict(alert.annotations)
    said = {
        "summary": alert.summary,
        "description": alert.description,
        "runbook_url": alert.runbook,
        "dashboard_url": alert.dashboard,
        "value": alert.value,
        "threshold": alert.threshold,
        "reason": alert.reason,
        "rule": str(alert.origin),
    }
    return {name: value.strip() for name, value in said.items() if value.strip()}


def starts_at(alert: AlertFact) -> datetime | None:
    """Return when it began: of a rule file's alert when it fired, as Prometheus has it."""
    return alert.since if alert.annotations is None else alert.fired_at or alert.since


def rfc3339(instant: datetime) -> str:
    """Return an instant as Go writes it: UTC, with no more digits than needed."""
    text = instant.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text.rstrip('0') if '.' in text else text}Z"


def fingerprint_of(labels: Mapping[str, str]) -> str:
    """Return Alertmanager's fingerprint: FNV-1a of 64 bits over the sorted labels (prometheus/common, signature.go)."""
    found = 0xCBF29CE484222325
    for name, value in sorted(labels.items()):
        for byte in name.encode() + b"\xff" + value.encode() + b"\xff":
            found = (found ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{found:016x}"


def webhook_payload(message: Message) -> dict[str, Any]:
    """Return what Alertmanager posts to a webhook, version 4.

    See https://prometheus.io/docs/alerting/latest/configuration/#webhook_config.
    """
    facts = message.facts
    alerts = [_alert(alert) for alert in facts.alerts]
    return {
        "receiver": message.notifier,
        "status": "firing" if facts.firing else "resolved",
        "alerts": alerts,
        "groupLabels": {"alertname" if name == "rule" else name: value for name, value in facts.labels.items()},
        "commonLabels": _common([alert["labels"] for alert in alerts]),
        "commonAnnotations": _common([alert["annotations"] for alert in alerts]),
        "externalURL": "",
        "version": "4",
        "groupKey": facts.group,
        "truncatedAlerts": 0,
    }


def _alert(alert: AlertFact) -> dict[str, Any]:
    labels, since = labels_of(alert, alert.heard if alert.over else None), starts_at(alert)
    return {
        "status": "resolved" if alert.over else "firing",
        "labels": labels,
        "annotations": annotations_of(alert),
        "startsAt": rfc3339(since) if since else NEVER,
        "endsAt": rfc3339(alert.ended_at) if alert.ended_at else NEVER,
        "generatorURL": alert.dashboard,
        "fingerprint": fingerprint_of(labels),
    }


def _common(sets: list[dict[str, str]]) -> dict[str, str]:
    """Return the pairs that all of them have."""
    first, *rest = sets or [{}]
    return {name: value for name, value in first.items() if all(other.get(name) == value for other in rest)}
