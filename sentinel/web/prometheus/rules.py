"""rules, alerts: what Prometheus would show if the same were written for it.

A rule of ours may have several severities; there it would be as many rules of one name. So each severity is an entry,
with its own threshold, `for` and state, and an alert that is critical stands under its warning as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from sentinel.agent.view import View
from sentinel.core.alert import Alert, Patience, Phase, Standing
from sentinel.core.labels import Labels
from sentinel.core.quantity import Quantity
from sentinel.core.severity import Severity
from sentinel.promql import Binary
from sentinel.promql.literal import write_number
from sentinel.rules.rule import Rule
from sentinel.rules.threshold import Threshold
from sentinel.web import present
from sentinel.web.present import Json
from sentinel.web.prometheus.answers import Said, answered
from sentinel.web.prometheus.asked import Asked
from sentinel.web.prometheus.floats import go_exponent
from sentinel.web.prometheus.parameters import Parameters, invalid

router = APIRouter()

#: A rule is evaluated when a sample arrives, and at the latest after so many seconds.
_INTERVAL_SECONDS = 15
_STATES = ("inactive", "pending", "firing")


@router.get("/rules")
async def rules(request: Request) -> Response:
    """List the rules by their files."""
    return await answered(request, _rules)


@router.get("/alerts")
async def alerts(request: Request) -> Response:
    """List what is pending or fires."""
    return await answered(request, _alerts)


def _rules(asked: Asked) -> Said:
    parameters, view = asked.parameters, asked.agent.view
    kind = parameters.text("type")
    if kind not in ("", "alert", "record"):
        raise invalid("type", f'not supported value "{kind}"')
    groups: dict[str, list[Json]] = {}
    for rule in view.config.rules.values() if kind != "record" else ():
        if _wanted(rule, parameters):
            groups.setdefault(rule.position.file, []).extend(_entries(rule, view))
    if parameters.text("exclude_alerts").lower() in ("1", "true"):
        for entry in (entry for entries in groups.values() for entry in entries):
            entry["alerts"] = []
    return Said.of({"groups": [_group(file, groups[file], view) for file in sorted(groups)]})


def _alerts(asked: Asked) -> Said:
    found = [_alert(alert, level) for alert in asked.agent.view.alerts for level in sorted(alert.standings)]
    return Said.of({"alerts": found})


def _wanted(rule: Rule, parameters: Parameters) -> bool:
    asked = {"rule_name[]": rule.name, "rule_group[]": rule.position.file, "file[]": rule.position.file}
    return all(not (texts := parameters.texts(name)) or value in texts for name, value in asked.items())


def _group(file: str, entries: list[Json], view: View) -> Json:
    return {
        "name": file,
        "file": file,
        "rules": entries,
        "interval": _INTERVAL_SECONDS,
        "limit": 0,
        "evaluationTime": 0,
        "lastEvaluation": _instant(view.at),
    }


def _entries(rule: Rule, view: View) -> Iterator[Json]:
    alerts = [alert for alert in view.alerts if alert.rule == rule.name]
    failure = view.failures.get(rule.name, "")
    for level, threshold in sorted(rule.thresholds.items()):
        patience = rule.patience.get(level, Patience())
        shown = [_alert(alert, level) for alert in alerts if level in alert.standings]
        yield {
            "state": max((alert["state"] for alert in shown), key=_STATES.index, default="inactive"),
            "name": rule.name,
            "query": _query(rule, threshold),
            "duration": patience.hold_for.total_seconds(),
            "keepFiringFor": patience.keep_firing_for.total_seconds(),
            "labels": _labels(rule.labels, rule.owner, level),
            "annotations": {name: text for name, text in rule.texts.items() if text},
            "alerts": shown,
            "health": "err" if failure else "ok",
            **({"lastError": failure} if failure else {}),
            "evaluationTime": 0,
            "lastEvaluation": _instant(view.at),
            "type": "alerting",
        }


def _query(rule: Rule, threshold: Threshold) -> str:
    """Return the expression with its comparison, in the units of the expression."""
    expr, scale = rule.compiled.expr, rule.compiled.scale
    text = f"({expr})" if isinstance(expr, Binary) else str(expr)

    def beyond(limit: Quantity) -> str:
        return f"{text} {threshold.sign(limit)} {write_number(limit.value * scale)}"

    return " or ".join(beyond(limit) for limit in (threshold.above, threshold.below) if limit) or str(expr)


def _alert(alert: Alert, level: Severity) -> Json:
    standing = alert.standings[level]
    found: dict[str, Any] = {
        "labels": dict(Labels.of(alert.labels, **_labels(alert.rule_labels, alert.owner, level), alertname=alert.rule)),
        "annotations": {name: text for name, text in alert.texts.items() if text and name != "value"},
        "state": "pending" if standing.phase is Phase.PENDING else "firing",
        "activeAt": _instant(_active_at(alert, standing)),
        "value": go_exponent(float("nan") if alert.value is None else alert.value),
    }
    if standing.phase is Phase.RECOVERING:
        found["keepFiringSince"] = _instant(standing.since)
    return found


def _active_at(alert: Alert, standing: Standing) -> datetime:
    return standing.since if standing.phase is Phase.PENDING else alert.since or standing.since


def _labels(own: Mapping[str, str], owner: str, level: Severity) -> dict[str, str]:
    return dict(Labels.of(own, owner=owner, severity=str(level)))


def _instant(at: datetime) -> str:
    return present.instant(at) or ""
