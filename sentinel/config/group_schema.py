"""Group schema: what editors are told of `groups:`, Prometheus's rule files as they are."""

from __future__ import annotations

from typing import Any

_DURATION = {
    "type": "string",
    "pattern": r"^(0|(\d+(ms|[smhdwy]))+)$",
    "patternErrorMessage": "a duration of Prometheus: 30s, 5m, 1h30m, 7d",
}
_TEXTS = {"type": ["object", "null"], "additionalProperties": {"type": "string"}}
_COMMON = {
    "expr": {"type": "string", "description": "PromQL."},
    "labels": _TEXTS | {"description": "Laid over the labels of each element; templates of Go in alerts."},
}
_ALERT = {
    "alert": {"type": "string", "description": "Name of the alert."},
    "for": _DURATION | {"description": "How long it must be the case before it fires."},
    "keep_firing_for": _DURATION | {"description": "How long it goes on firing after that."},
    "annotations": _TEXTS | {"description": "Words for people; templates of Go."},
}
_RECORD = {"record": {"type": "string", "description": "Name of the metric that is written."}}
_RULE = {
    "type": "object",
    "description": "An alerting or a recording rule.",
    "properties": {**_ALERT, **_RECORD, **_COMMON},
    "required": ["expr"],
    "additionalProperties": False,
    "oneOf": [{"required": ["alert"]}, {"required": ["record"]}],
}
_GROUP = {
    "type": "object",
    "description": "Rules that are evaluated one after the other.",
    "properties": {
        "name": {"type": "string", "description": "Unique in its file."},
        "interval": _DURATION | {"description": "How far apart evaluations are; default 1m."},
        "query_offset": _DURATION | {"description": "How far before the evaluation queries look."},
        "limit": {"type": "integer", "description": "How many alerts or series a rule may have; 0 is any number."},
        "labels": _TEXTS | {"description": "Labels of all its rules."},
        "rules": {"type": ["array", "null"], "items": _RULE, "description": "In the order of their evaluation."},
    },
    "required": ["name"],
    "additionalProperties": False,
}
JSON_SCHEMA: dict[str, Any] = {
    "type": ["array", "null"],
    "description": "A rule file of Prometheus, as it is; it means what it means there.",
    "items": _GROUP,
}
