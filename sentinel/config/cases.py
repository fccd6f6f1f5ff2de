"""Cases: the keys of what stands under `tests:`, and a test as it is handed on, with the places of all that it says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, PlainSerializer, PlainValidator, WithJsonSchema, model_validator

from sentinel.config.entries import WAS, MatchValue, Names
from sentinel.config.read import Found, position_at, problem_at
from sentinel.config.scripts import Calls, parse_calls, parse_looks
from sentinel.config.series import PromQL, SeriesName, SeriesValues
from sentinel.core.fields import Duration, LabelName, Model, Moment, OneOrMore, Pattern, PositiveDuration, SeverityName
from sentinel.core.problem import Position, Problem

#: When a test begins that does not say.
START = "2026-01-01 00:00 UTC"
#: How far apart the values of its series are, if it does not say.
INTERVAL = timedelta(seconds=15)
#: So far a test may go: as far as samples are kept in memory.
LONGEST = timedelta(days=20)

State = Literal["pending", "firing", "recovering", "no data", "resolved", "inactive"]
#: What a message may be told for.
_Told = Literal["firing", "rose", "joined", "escalation", "no data", "reminder", "rerouted", "resolved", "updated"]


def _looks(given: Any) -> tuple[str, ...]:
    if isinstance(given, tuple):
        return given
    return parse_looks(" ".join(given) if isinstance(given, list) else given)


def _calls(given: Any) -> tuple[Calls, ...]:
    if isinstance(given, tuple):
        return given
    if not isinstance(given, str):
        raise ValueError("should be words such as ok every 10m, then nothing")
    return parse_calls(given)


_TEXT = WithJsonSchema({"type": "string"})
ToldFor = Annotated[tuple[_Told, ...], OneOrMore()]
Instants = Annotated[tuple[Duration, ...], OneOrMore()]
Looks = Annotated[tuple[str, ...], PlainValidator(_looks), PlainSerializer(" ".join), _TEXT]
CallsValue = Annotated[tuple[Calls, ...], PlainValidator(_calls), PlainSerializer(str), _TEXT]


class Matching(Model):
    """A text by a regular expression."""

    matches: Pattern = Field(description="A regular expression (RE2) that fits the whole text.")


#: A text in which `*` stands for anything, or a regular expression.
TextLike = str | Matching


class MessageKeys(Model):
    """What a message says."""

    title: TextLike | None = Field(None, description="Its one line.")
    text: TextLike | None = Field(None, description="The whole, plain.")
    body: TextLike | None = Field(None, description="The whole, in the markup of the notifier's kind.")


class GivenKeys(Model):
    """An alert that is the case because the test says so: what it is told is tried, not what it sees."""

    rule: str = Field(description="Whose alert it is.")
    severity: SeverityName | None = Field(None, description="At which it holds; default the highest of its rule.")
    labels: dict[LabelName, str] = Field(default_factory=dict, description="Of the alert.")
    from_: Duration = Field(timedelta(), alias="from", description="When it begins to be the case.")
    until: Duration | None = Field(None, description="When it ends to be; default never.")


class SilenceKeys(Model):
    """A silence that somebody sets."""

    at: Duration = Field(timedelta(), description="When.")
    for_: PositiveDuration = Field(alias="for", description="For how long.")
    match: MatchValue = Field(description="Which alerts.")
    reason: str = Field("silenced by the test", description="Why.")


class AcknowledgeKeys(Model):
    """Somebody takes alerts in hand."""

    at: Duration = Field(description="When.")
    rule: str = Field(description="Whose alerts.")
    labels: dict[LabelName, str] = Field(default_factory=dict, description="Those with these labels.")
    for_: PositiveDuration = Field(timedelta(hours=8), alias="for", description="For how long; default 8h.")


class ExpectKeys(Model):
    """What is so at an instant of a test."""

    at: Instants = Field(description="When: time since the start, or several.")
    rule: str | None = Field(None, description="Whose alerts.")
    labels: dict[LabelName, TextLike] = Field(default_factory=dict, description="Labels that the alert has.")
    severity: SeverityName | None = Field(None, description="That the alert has.")
    state: State = Field("firing", description="How it stands; firing is recovering too, inactive is not even pending.")
    count: int | None = Field(None, ge=0, le=100_000, description="How many alerts are like this; default one.")
    value: TextLike | None = Field(None, description="As people read it (6.2%), or as a number.")
    threshold: TextLike | None = Field(None, description="What it is held against, as people read it.")
    reason: TextLike | None = Field(None, description="Why it stands as it does.")
    since: Duration | None = Field(None, description="When it began to be the case.")
    owner: TextLike | None = Field(None, description="Who answers for it.")
    summary: TextLike | None = Field(None, description="The rule's, filled in.")
    description: TextLike | None = Field(None, description="Likewise.")
    runbook: TextLike | None = Field(None, description="Likewise.")
    dashboard: TextLike | None = Field(None, description="Likewise.")
    annotations: dict[str, TextLike] = Field(default_factory=dict, description="Of a rule of groups:, filled in.")
    notified: Names | Mapping[str, ToldFor] | None = Field(
        None, description="Who heard of it since the instant before; or what each heard, in order."
    )
    message: MessageKeys | None = Field(None, description="What those messages say.")
    query: PromQL | None = Field(None, description="Instead of a rule: PromQL, and below it its samples.")
    samples: dict[SeriesName, float] | float | None = Field(
        None, description="Series and values that the query returns."
    )

    @model_validator(mode="after")
    def _one_subject(self) -> ExpectKeys:
        if not self.at:
            raise ValueError("at: is empty; when?")
        if (self.rule is None) == (self.query is None):
            raise ValueError("needs exactly one of rule and query: what is expected?")
        if (self.query is None) != (self.samples is None):
            raise ValueError("query and samples belong together")
        if self.query is not None and self.model_fields_set - {"at", "query", "samples"}:
            raise ValueError("a query has samples, and nothing else of an alert")
        return self


class CaseKeys(Model):
    """A test of rules: what happens, and what comes of it."""

    start: Moment | None = Field(None, description=f"The date and time at which it begins; default {START}.")
    interval: PositiveDuration = Field(INTERVAL, description="How far apart the values of its series are; default 15s.")
    series: dict[SeriesName, SeriesValues] = Field(default_factory=dict, description="Series and their values.")
    probes: dict[str, Looks] = Field(default_factory=dict, description="How the looks of probes end: up x10 down x3.")
    jobs: dict[str, CallsValue] = Field(default_factory=dict, description="When jobs call: ok every 10m, then nothing.")
    alerts: tuple[GivenKeys, ...] = Field((), description="Alerts that are the case, whatever the series say.")
    silences: tuple[SilenceKeys, ...] = Field((), description="Silences that are set.")
    acknowledge: tuple[AcknowledgeKeys, ...] = Field((), description="Alerts that somebody takes in hand.")
    expect: tuple[ExpectKeys, ...] = Field(description="What is so, and when.")
    only: bool = Field(False, description="Whether no other rule of the tree may fire, either.")
    until: Duration | None = Field(None, description="How long it goes on; default up to the last expectation.")
    was: str | None = WAS

    @model_validator(mode="after")
    def _finite(self) -> CaseKeys:
        if not self.expect:
            raise ValueError("expect: is empty; write what is so, and when")
        last = max(at for one in self.expect for at in one.at)
        if self.until is not None and self.until < last:
            raise ValueError("until: is before the last expectation")
        if max(last, self.until or last) > LONGEST:
            raise ValueError(f"expect: a test may go on for {LONGEST.days} days, no longer")
        return self


@dataclass(frozen=True, slots=True)
class Case:
    """One test.

    Args:
        name: unique in the tree.
        keys: what it says.
        found: where it stands, to look further from.
        rules: names of the rules behind each word that it calls a rule by: an alert's name may stand for several.
    """

    name: str
    keys: CaseKeys
    found: Found = field(repr=False)
    rules: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def position(self) -> Position:
        """Where it begins."""
        return position_at(self.found)

    @property
    def start(self) -> datetime:
        """When it begins."""
        return self.keys.start or datetime.fromisoformat("2026-01-01T00:00+00:00")

    @property
    def lasts(self) -> timedelta:
        """How long it goes on."""
        return self.keys.until or max(at for one in self.keys.expect for at in one.at)

    def problem(self, path: tuple[str | int, ...], check: str, says: str, fix: str = "") -> Problem:
        """Return a finding about what stands under a path of keys: `("expect", 0, "severity")`."""
        return problem_at(self.found, path, check, says, fix)
