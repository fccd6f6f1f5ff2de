"""Entries: the keys that stand beside a kind's or form's word, and those of entries that have no kind."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema

from sentinel.core.fields import (
    CronExpression,
    Duration,
    LabelMap,
    LabelName,
    Model,
    OneOrMore,
    PositiveDuration,
    ScheduleValue,
)
from sentinel.notifiers.notifier import TRIES
from sentinel.notifiers.rate import Rate
from sentinel.routing.match import Match
from sentinel.routing.route import REPEAT
from sentinel.rules.keys import RuleKeys


def _match(given: Any) -> Match:
    if isinstance(given, Match):
        return given
    if not isinstance(given, Mapping):
        raise ValueError("should be a mapping such as {severity: critical, owner: payments}")
    for key, value in given.items():
        values = value if isinstance(value, list) else [value]
        if not values or not all(isinstance(one, str) for one in values):
            raise ValueError(f"{key}: should be a text or a list of texts")
    try:
        return Match.of(given)
    except ValueError as exc:
        raise ValueError(f"severity: {exc}") from None


def _rate(given: Any) -> Rate:
    if isinstance(given, Rate):
        return given
    if not isinstance(given, str):
        raise ValueError("should be a number of messages in a time: 1/s, 20/min, 100/h or 500/d")
    return Rate.parse(given)


Names = Annotated[tuple[str, ...], OneOrMore()]
#: What editors are told of a `match`: any label may be a key, and these are always there.
_MATCH_SCHEMA = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    "properties": {
        key: {"description": says, "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
        for key, says in {
            "rule": "Name of the rule.",
            "severity": "A severity; warning+ is that and above; !info is any other.",
            "owner": "Who answers for the rule, or the alert's label of this name.",
            "probe": "The alert's probe or job.",
            "file": "The file in which the rule stands.",
        }.items()
    },
}
MatchValue = Annotated[Match, PlainValidator(_match), WithJsonSchema(_MATCH_SCHEMA)]
RateValue = Annotated[Rate, PlainValidator(_rate), PlainSerializer(str), WithJsonSchema({"type": "string"})]
LabelNames = Annotated[tuple[LabelName, ...], OneOrMore()]
WAS: Any = Field(None, description="An earlier name; what is remembered under it goes on under the new one.")


class ProbeKeys(Model):
    """What may stand beside the kind of any probe."""

    every: PositiveDuration | None = Field(None, description="How often it looks; default 30s.")
    cron: CronExpression | None = Field(None, description="Or: when it looks, as a cron expression.")
    timezone: str | None = Field(None, description="Of the cron expression; default UTC.")
    timeout: PositiveDuration | None = Field(None, description="How long a look may take; shorter than every.")
    every_when_failing: PositiveDuration | None = Field(None, description="How often it looks while it fails.")
    labels: LabelMap = Field(default_factory=dict, description="Labels of each of its series.")
    was: str | None = WAS


#: Keys that say when to look; they have no meaning for a kind that looks at what is stored.
LOOKING = ("every", "cron", "timezone", "timeout", "every_when_failing")


class NotifierKeys(Model):
    """What may stand beside the kind of any notifier."""

    fallback: str = Field("", description="Notifier that is told what this one does not take.")
    tries: int = Field(TRIES, ge=1, le=1000, description="Attempts before a notification is a dead letter.")
    rate_limit: RateValue | None = Field(
        None, description="How many messages it may send, such as 20/min; what is over it is told in one digest."
    )
    was: str | None = WAS


class RuleEntry(RuleKeys):
    """What may stand beside the form of any rule."""

    was: str | None = WAS


class EscalationKeys(Model):
    """One step of an escalation."""

    after: PositiveDuration = Field(description="How long after the first message at this severity.")
    notify: Names = Field(description="Who hears of it then.")


class RouteKeys(Model):
    """A route."""

    match: MatchValue | None = Field(None, description="Which alerts it takes; without it, what no other took.")
    notify: Names = Field(description="Names of notifiers; [] drops the alert knowingly.")
    group_by: Names = Field(("rule",), description="Labels, or rule, severity, owner, probe, file, that make a group.")
    group_wait: Duration | None = Field(None, description="How long a new group gathers; default 10s.")
    group_interval: Duration | None = Field(None, description="How long a group that was told gathers; default 1m.")
    repeat: PositiveDuration = Field(REPEAT, description="How long until a reminder; default 4h.")
    escalate: tuple[EscalationKeys, ...] = Field((), description="Whom else, when nobody acknowledges.")
    continue_: bool = Field(False, alias="continue", description="Whether the routes below are tried as well.")
    was: str | None = WAS


class MuteKeys(Model):
    """Hours in which alerts are not told."""

    match: MatchValue = Field(description="Which alerts; {} is all of them.")
    during: ScheduleValue = Field(description="When.")
    reason: str = Field(description="Why nobody needs to hear of them then.")
    was: str | None = WAS


class InhibitKeys(Model):
    """While the cause fires, what it covers is not told."""

    cause: MatchValue = Field(description="Which alert explains the others.")
    covers: MatchValue = Field(description="Which alerts it explains.")
    equal: LabelNames = Field((), description="Labels that must have the same value in both.")
    was: str | None = WAS


#: Entries that have no kind, by section.
PLAIN: Mapping[str, type[Model]] = {"routes": RouteKeys, "mutes": MuteKeys, "inhibit": InhibitKeys}


@cache
def keys_of(common: type[Model]) -> frozenset[str]:
    """Return the keys as they stand in YAML."""
    return frozenset(field.alias or name for name, field in common.model_fields.items())
