"""A debt: notifier N is owed word of group G, for this reason, not before T."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sentinel.core.labels import Labels
from sentinel.core.severity import Severity


class Reason(StrEnum):
    """Why somebody is told, from the most to the least pressing; a message that has several gives the first."""

    FIRING = "firing"
    ROSE = "rose"
    JOINED = "joined"  # another alert joined a group that was told before
    ESCALATION = "escalation"
    NO_DATA = "no data"
    REMINDER = "reminder"
    REROUTED = "rerouted"  # this notifier is no longer on the alert's route
    RESOLVED = "resolved"
    UPDATED = "updated"  # a fall, or a new value: changes the message that is there, and calls nobody
    DIGEST = "digest"  # what a rate limit held back
    TEST = "test"  # `sentinel notify test`


class Settlement(StrEnum):
    """How a notification stands in the outbox."""

    WAITING = "waiting"  # not before `due_at`
    SENDING = "sending"  # leased and sealed; after `leased_until` anybody may lease it again
    DELIVERED = "delivered"
    DEAD = "dead"  # a dead letter: a person must look, and may retry it
    WITHDRAWN = "withdrawn"  # what it was about ended before anybody was to be told

    @property
    def open(self) -> bool:
        """Whether it is still owed."""
        return self in (Settlement.WAITING, Settlement.SENDING)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to deliver, and how it ended ("" is: accepted); whether it counts in the notifier's rate."""

    at: datetime
    error: str = ""
    took_seconds: float = 0.0
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """One row of the outbox.

    Args:
        id: unique, made from notifier, group and the first transition's time; also orders rows of one instant.
        notifier: who is owed it.
        group: key of the group that it is about.
        reason: the most pressing one.
        alerts: fingerprints that it is about, those that resolve included, in the order in which they came.
        severity: the highest among its alerts; a resolve has that of what it ends.
        created_at: when the debt came to be.
        due_at: not to be sent before.
        settlement: how it stands.
        tries: attempts made so far.
        next_at: when it may be tried (again); `due_at` at first.
        leased_until: while it is being sent.
        key: idempotency key, given at the seal and kept while the outcome of an attempt is unknown.
        content: what is told, sealed at the first lease: rendered facts as JSON text; "" while unsealed.
        attempts: the tries and how they ended, newest last.
        why: the reason of a dead letter, or how it was delivered.
        fallback_of: the notifier in whose stead this one is told.
        digest: id of the notification whose message, a digest, tells this one as well; its own where it carries that.
    """

    id: str
    notifier: str
    group: str
    reason: Reason
    alerts: tuple[str, ...]
    severity: Severity
    created_at: datetime
    due_at: datetime
    settlement: Settlement = Settlement.WAITING
    tries: int = 0
    next_at: datetime | None = None
    leased_until: datetime | None = None
    key: str = ""
    content: str = ""
    attempts: tuple[Attempt, ...] = ()
    why: str = ""
    fallback_of: str = ""
    digest: str = ""

    @property
    def sealed(self) -> bool:
        """Whether its words are fixed; what happens later makes a new row."""
        return bool(self.content or self.digest)


@dataclass(frozen=True, slots=True)
class Group:
    """Alerts that are told together: those of one route with the same values of `group_by`.

    Args:
        key: route name and group labels, canonical; survives reload and restart.
        route: name of the route.
        labels: the values of its `group_by`.
        alerts: fingerprints of its members that fire now.
        told_at: when its last notification was decided; None before the first.
        repeat_at: when its next reminder is due.
        severity_since: when the group's present highest severity was first told; escalation counts from here.
        escalated: how many steps of the route's `escalate` were taken at this severity.
        opened_at: when its first member fired.
    """

    key: str
    route: str
    labels: Labels
    alerts: tuple[str, ...] = ()
    told_at: datetime | None = None
    repeat_at: datetime | None = None
    severity_since: datetime | None = None
    escalated: int = 0
    opened_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """That a notifier heard of an alert, written when the message was accepted; a resolve goes to exactly these.

    Args:
        notifier: who heard.
        fingerprint: of the alert.
        group: in which group's message.
        severity: what they last heard; None once they heard the resolve.
        at: when the message was accepted.
        receipt: what the notifier gave back (channel and ts, event id, Message-ID): comes back as `message.earlier`.
    """

    notifier: str
    fingerprint: str
    group: str
    severity: Severity | None
    at: datetime
    receipt: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settled:
    """What leasing or settling changed: rows for the database, and for the state in memory after the commit."""

    notifications: tuple[Notification, ...] = ()
    told: tuple[Told, ...] = ()
