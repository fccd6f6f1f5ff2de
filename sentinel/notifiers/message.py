"""A message: what a notifier takes to people, as values and in words.

It is sealed as JSON into the outbox's row when it is first sent, so that a repetition says the same under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from sentinel.core.alert import Origin
from sentinel.core.notification import Reason
from sentinel.core.severity import Severity


@dataclass(frozen=True, slots=True)
class AlertFact:
    """What a message says of one alert.

    Args:
        fingerprint: its identity.
        rule: name of its rule.
        labels: of its element.
        severity: that it has; after its end the highest that it had.
        state: how it stands.
        value: in the threshold's unit, or "".
        threshold: as people wrote it, or "".
        reason: why it stands as it does.
        since: when it began to be the case.
        ended_at: when it was over; None while it is not.
        summary: rendered.
        description: rendered.
        runbook: a link, or "".
        dashboard: a link, or "".
        owner: of the rule.
        origin: where the rule stands.
        news: whether the message is about this alert; the others are listed because they go on in the same group.
        rule_labels: the rule's own labels.
        unknown_since: since when nobody knows how it stands; None while it is known.
        heard: the severity at which this notifier heard of it last; None if it did not, or heard that it was over.
        covers: what is not told since this explains it, by rule and labels.
        fired_at: when it first fired.
        annotations: all that a rule file says of it, rendered; None where it is of a rule of ours.
    """

    fingerprint: str
    rule: str
    labels: Mapping[str, str]
    severity: Severity
    state: Literal["firing", "recovering", "no data", "resolved"]
    value: str = ""
    threshold: str = ""
    reason: str = ""
    since: datetime | None = None
    ended_at: datetime | None = None
    summary: str = ""
    description: str = ""
    runbook: str = ""
    dashboard: str = ""
    owner: str = ""
    origin: Origin = field(default_factory=Origin)
    news: bool = True
    rule_labels: Mapping[str, str] = field(default_factory=dict)
    heard: Severity | None = None
    unknown_since: datetime | None = None
    covers: tuple[str, ...] = ()
    fired_at: datetime | None = None
    annotations: Mapping[str, str] | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state == "resolved"

    @property
    def lasted(self) -> timedelta | None:
        """How long it went on, once it is over."""
        return self.ended_at - self.since if self.ended_at and self.since else None


@dataclass(frozen=True, slots=True)
class GroupFact:
    """What a digest says of one group.

    Args:
        group: its key.
        route: name of its route.
        labels: the values of the route's `group_by`.
        severity: the highest among those that go on, else among those that ended.
        firing: how many go on.
        over: how many have ended.
        runbook: a link, or "".
        dashboard: a link, or "".
    """

    group: str
    route: str
    labels: Mapping[str, str]
    severity: Severity
    firing: int
    over: int
    runbook: str = ""
    dashboard: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a message is about, as values; templates and kinds that speak JSON read these.

    Args:
        agent: name of the agent that speaks.
        at: when the words were chosen.
        group: key of the group.
        route: name of its route.
        labels: the values of the route's `group_by`.
        alerts: those that the message is about first, then those that go on in the same group.
        groups: of a digest: the groups that it tells together.
    """

    agent: str
    at: datetime
    group: str = ""
    route: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    alerts: tuple[AlertFact, ...] = ()
    groups: tuple[GroupFact, ...] = ()

    @property
    def firing(self) -> tuple[AlertFact, ...]:
        """Those that go on."""
        return tuple(alert for alert in self.alerts if not alert.over)

    @property
    def over(self) -> tuple[AlertFact, ...]:
        """Those that have ended."""
        return tuple(alert for alert in self.alerts if alert.over)

    @property
    def news(self) -> tuple[AlertFact, ...]:
        """Those that the message is about."""
        return tuple(alert for alert in self.alerts if alert.news)


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready to be sent.

    Args:
        key: the same in every repetition of the same words; a receiver with an idempotency key takes it once.
        notifier: whose it is.
        reason: why it is sent.
        severity: the highest among its alerts.
        title: one line.
        text: the whole, plain.
        body: the whole in the kind's markup, "" where it has none.
        facts: the same as values.
        earlier: receipt of the group's last message at this notifier; empty if this is the first of its incident.
        done: what an earlier attempt at this very message was granted (`TryAgain.done`).
        late_by: how much later it leaves than it was due; zero unless a person should hear of it.
        resolved: whether nothing of the group goes on.
        quiet: whether it only changes the message that is there, and calls nobody.
        again: whether an earlier attempt at this very message may have been accepted unheard.
        sent_at: when this attempt began; None before the first.
    """

    key: str
    notifier: str
    reason: Reason
    severity: Severity
    title: str
    text: str
    facts: Facts
    body: str = ""
    earlier: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, str] = field(default_factory=dict)
    late_by: timedelta = timedelta()
    resolved: bool = False
    quiet: bool = False
    again: bool = False
    sent_at: datetime | None = None

    def seal(self) -> str:
        """Return the message as JSON text."""
        return _adapter().dump_json(self).decode()

    @staticmethod
    def unseal(content: str) -> Message:
        """Return the message that was sealed."""
        return _adapter().validate_json(content)


@cache
def _adapter() -> TypeAdapter[Message]:
    return TypeAdapter(Message)
