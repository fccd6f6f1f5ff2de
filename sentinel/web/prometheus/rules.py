"""rules, alerts: what Prometheus would show if the same were written for it.

A rule of ours may have several severities; there it would be as many rules of one name. So each severity is an entry,
with its own threshold, `for` and state, and an alert that is critical stands under its warning as well. Groups of rule
files are shown as Prometheus shows them.
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
from sentinel.rules.grouped import Alerting, Recording, RuleGroup
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
#: As Go writes a time that never was.
_NEVER = "0001-01-01T00:00:00Z"
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
    ours: dict[str, list[Json]] = {}
    for rule in view.config.rules.values() if kind != "record" else ():
        if not isinstance(rule, Alerting) and _wanted(rule.name, rule.position.file, rule.position.file, parameters):
            ours.setdefault(rule.position.file, []).extend(_entries(rule, view))
    groups = [_group(file, ours[file]) for file in sorted(ours)]
    groups += [found for group in view.config.groups if (found := _rule_file(group, kind, parameters, view))["rules"]]
    if parameters.text("exclude_alerts").lower() in ("1", "true"):
        for entry in (entry for group in groups for entry in group["rules"] if "alerts" in entry):
            entry["alerts"] = []
    return Said.of({"groups": sorted(groups, key=lambda group: (group["file"], group["name"]))})


def _alerts(asked: Asked) -> Said:
    view = asked.agent.view
    found = [one for alert in view.alerts for one in _of_rule(view.config.rules.get(alert.rule), alert)]
    return Said.of({"alerts": found})


def _wanted(name: str, group: str, file: str, parameters: Parameters) -> bool:
    asked = {"rule_name[]": name, "rule_group[]": group, "file[]": file}
    return all(not (texts := parameters.texts(name)) or value in texts for name, value in asked.items())


def _group(file: str, entries: list[Json]) -> Json:
    return {
        "name": file,
        "file": file,
        "rules": entries,
        "interval": _INTERVAL_SECONDS,
        "limit": 0,
        "evaluationTime": 0,
        "lastEvaluation": max((entry["lastEvaluation"] for entry in entries), default=_NEVER),
    }


def _rule_file(group: RuleGroup, kind: str, parameters: Parameters, view: View) -> Json:
    """Show a group as it stands in its rule file."""
    alerting = [rule for rule in group.rules if isinstance(rule, Alerting) or kind != "alert"]
    shown = [rule for rule in alerting if isinstance(rule, Recording) or kind != "record"]
    entries = [_grouped(rule, view) for rule in shown if _wanted(_title(rule), group.name, group.file, parameters)]
    return {
        **_group(group.file, entries),
        "name": group.name,
        "interval": group.interval.total_seconds(),
        "limit": group.limit,
    }


def _title(rule: Alerting | Recording) -> str:
    return rule.alert if isinstance(rule, Alerting) else rule.record


def _grouped(rule: Alerting | Recording, view: View) -> Json:
    common = {
        "name": _title(rule),
        "query": str(rule.query),
        "labels": dict(rule.own_labels),
        **_evaluated(rule.name, view),
    }
    if isinstance(rule, Recording):
        return {**common, "type": "recording"}
    alerts = [alert for alert in view.alerts if alert.rule == rule.name]
    patience = next(iter(rule.patience.values()))
    return {
        "state": max((_state(alert.phase) for alert in alerts), key=_STATES.index, default="inactive"),
        **common,
        "duration": patience.hold_for.total_seconds(),
        "keepFiringFor": patience.keep_firing_for.total_seconds(),
        "annotations": dict(rule.annotations),
        "alerts": [found for alert in alerts for found in _of_rule(rule, alert)],
        "type": "alerting",
    }


def _evaluated(rule: str, view: View) -> Json:
    """Say how the last evaluation of a rule went, if there was one."""
    failure = view.failures.get(rule, "")
    known = rule in view.evaluated
    return {
        "health": "err" if failure else "ok" if known else "unknown",
        **({"lastError": failure} if failure else {}),
        "evaluationTime": 0,
        "lastEvaluation": _instant(view.at) if known else _NEVER,
    }


def _state(phase: Phase) -> str:
    return "pending" if phase is Phase.PENDING else "firing"


def _of_rule(rule: Rule | None, alert: Alert) -> Iterator[Json]:
    """Yield an alert as the rule that it is of would have it: in a rule file, its labels are all that it has."""
    for level in sorted(alert.standings):
        found = _alert(alert, level)
        if isinstance(rule, Alerting):
            found["labels"] = dict(alert.labels)
            found["annotations"] = {name: alert.texts.get(name, "") for name in rule.annotations}
        yield found


def _entries(rule: Rule, view: View) -> Iterator[Json]:
    alerts = [alert for alert in view.alerts if alert.rule == rule.name]
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
            **_evaluated(rule.name, view),
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
        "state": _state(standing.phase),
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
