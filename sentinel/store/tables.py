"""Every table, as SQLModel rows: one column per field of the value of the same name in `core`, under the same word.

A value becomes a row and comes back in `shelf.py`; a test keeps the fields and the columns in step. Where a value has
no key of its own among its fields, the row adds one. Samples never become such rows: see `samples.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, LargeBinary, text
from sqlmodel import Field, SQLModel

from sentinel.core.alert import Origin, Standing
from sentinel.core.labels import Labels
from sentinel.core.notification import Attempt, Reason, Settlement
from sentinel.core.severity import Severity
from sentinel.store.columns import Instant, Number, Span, Word
from sentinel.store.packing import ATTEMPTS, INSTANTS, LABELS, MAPPING, MATCH, ORIGIN, STANDINGS, TEXTS, Level

#: Words of SQL that stand in an index and, the same to the letter, in the queries that it answers: what was sent once
#: or more and is waited for, and what is owed and nobody was given instead.
TRIED = "settlement = 'waiting' AND attempts != '[]'"
NOT_INSTEAD = "settlement IN ('waiting', 'sending') AND why = ''"


class Row(SQLModel):
    """What every table shares: its values come from our own code, so nothing is checked again.

    Nor is a validator built for each table when this is imported: that would be a tenth of a second of every start.
    """

    model_config = {"arbitrary_types_allowed": True, "defer_build": True}


class AlertRow(Row, table=True):
    """An alert that is not inactive."""

    __tablename__ = "alert"

    fingerprint: str = Field(primary_key=True)
    rule: str = Field(index=True)
    labels: Labels = Field(sa_type=LABELS)
    standings: Mapping[Severity, Standing] = Field(sa_type=STANDINGS)
    value: float | None = Field(sa_type=Number)
    threshold: str
    reason: str
    since: datetime | None = Field(sa_type=Instant)
    fired_at: datetime | None = Field(sa_type=Instant)
    changed_at: datetime | None = Field(sa_type=Instant)
    texts: Mapping[str, str] = Field(sa_type=MAPPING)
    rule_labels: Mapping[str, str] = Field(sa_type=MAPPING)
    owner: str
    origin: Origin = Field(sa_type=ORIGIN)
    peak: Severity | None = Field(sa_type=Level)
    no_data_at: datetime | None = Field(sa_type=Instant)
    covers: tuple[str, ...] = Field(sa_type=TEXTS)


class AuditRow(Row, table=True):
    """One thing that happened; each row's hash covers the row before it."""

    __tablename__ = "audit"
    __table_args__ = (Index("ix_audit_subject", "subject", "seq"), {"sqlite_autoincrement": True})

    seq: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=Instant)
    kind: str
    subject: str
    body: str
    hash: str


class GroupRow(Row, table=True):
    """Alerts that are told together."""

    __tablename__ = "group"

    key: str = Field(primary_key=True)
    route: str
    labels: Labels = Field(sa_type=LABELS)
    alerts: tuple[str, ...] = Field(sa_type=TEXTS)
    told_at: datetime | None = Field(sa_type=Instant)
    repeat_at: datetime | None = Field(sa_type=Instant)
    severity_since: datetime | None = Field(sa_type=Instant)
    escalated: int
    opened_at: datetime | None = Field(sa_type=Instant)


class NotificationRow(Row, table=True):
    """A debt: the outbox, and what became of it."""

    __tablename__ = "notification"
    __table_args__ = (
        Index("ix_notification_owed", "settlement", "notifier", "created_at", "id", "next_at"),
        Index("ix_notification_next", "settlement", "notifier", "next_at"),
        Index("ix_notification_tried", "notifier", sqlite_where=text(TRIED)),
        Index("ix_notification_overdue", "notifier", "severity", "due_at", sqlite_where=text(NOT_INSTEAD)),
        Index("ix_notification_digest", "digest", sqlite_where=text("digest != ''")),
        Index("ix_notification_created", "created_at", "id"),
    )

    id: str = Field(primary_key=True)
    notifier: str
    group: str
    reason: Reason = Field(sa_type=Word(Reason))
    alerts: tuple[str, ...] = Field(sa_type=TEXTS)
    severity: Severity = Field(sa_type=Level)
    created_at: datetime = Field(sa_type=Instant)
    due_at: datetime = Field(sa_type=Instant)
    settlement: Settlement = Field(sa_type=Word(Settlement))
    tries: int
    next_at: datetime | None = Field(sa_type=Instant)
    leased_until: datetime | None = Field(sa_type=Instant)
    key: str
    content: str
    attempts: tuple[Attempt, ...] = Field(sa_type=ATTEMPTS)
    why: str
    fallback_of: str
    digest: str


class ToldRow(Row, table=True):
    """That a notifier heard of an alert."""

    __tablename__ = "told"
    __table_args__ = (Index("ix_told_fingerprint", "fingerprint"),)

    notifier: str = Field(primary_key=True)
    fingerprint: str = Field(primary_key=True)
    group: str
    severity: Severity | None = Field(sa_type=Level)
    at: datetime = Field(sa_type=Instant)
    receipt: Mapping[str, str] = Field(sa_type=MAPPING)


class SilenceRow(Row, table=True):
    """A silence."""

    __tablename__ = "silence"

    id: str = Field(primary_key=True)
    match: Mapping[str, str | tuple[str, ...]] = Field(sa_type=MATCH)
    author: str
    reason: str
    starts_at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)


class AcknowledgementRow(Row, table=True):
    """Somebody is on it."""

    __tablename__ = "acknowledgement"

    fingerprint: str = Field(primary_key=True)
    author: str
    reason: str
    at: datetime = Field(sa_type=Instant)
    ends_at: datetime = Field(sa_type=Instant)
    severity: Severity = Field(sa_type=Level)


class HeartbeatRow(Row, table=True):
    """What is remembered of a job that calls."""

    __tablename__ = "heartbeat"

    name: str = Field(primary_key=True)
    loaded_at: datetime = Field(sa_type=Instant)
    last_success_at: datetime | None = Field(sa_type=Instant)
    last_run_at: datetime | None = Field(sa_type=Instant)
    last_duration: timedelta | None = Field(sa_type=Span)
    exit_code: int | None
    started_at: Mapping[str, datetime] = Field(sa_type=INSTANTS)
    successes: int
    failures: int
    failures_in_a_row: int
    due_at: datetime | None = Field(sa_type=Instant)
    expected_by: datetime | None = Field(sa_type=Instant)
    blind: timedelta = Field(sa_type=Span)
    metrics: Mapping[str, float] = Field(sa_type=MAPPING)
    body: str


class ProbeMemoryRow(Row, table=True):
    """What a probe remembers between looks."""

    __tablename__ = "probe_memory"

    probe: str = Field(primary_key=True)
    memory: Mapping[str, object] = Field(sa_type=MAPPING)


class RevisionRow(Row, table=True):
    """One state of the configuration; the same texts loaded again move its `loaded_at`."""

    __tablename__ = "revision"

    id: str = Field(primary_key=True)
    files: Mapping[str, str] = Field(sa_type=MAPPING)
    loaded_at: datetime = Field(sa_type=Instant, index=True)
    commit: str
    author: str
    dirty: bool


class SourceRow(Row, table=True):
    """Who brings samples: a probe or a pusher, and when it last showed all that it has."""

    __tablename__ = "source"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    interval_ms: int = Field(sa_type=BigInteger)
    whole_ms: int | None = Field(sa_type=BigInteger)


class SeriesRow(Row, table=True):
    """What an id of the journal and the chunks stands for."""

    __tablename__ = "series"

    id: int | None = Field(default=None, primary_key=True)
    labels: Labels = Field(sa_type=LABELS, unique=True)
    source: int


class JournalRow(Row, table=True):
    """The samples of one commit, until chunks hold them; `damaged` says why it cannot be read."""

    __tablename__ = "journal"

    id: int | None = Field(default=None, primary_key=True)
    at_ms: int = Field(sa_type=BigInteger)
    body: bytes = Field(sa_type=LargeBinary)
    checksum: int = Field(sa_type=BigInteger)
    damaged: str = ""


class ChunkRow(Row, table=True):
    """Samples of some series of one block, at the same times; `damaged` says why it cannot be read.

    The body comes last: who looks only at the other columns need not read it.
    """

    __tablename__ = "chunk"
    __table_args__ = (
        Index("ix_chunk_block", "block", "end_ms", "start_ms", "members", "damaged"),
        Index("ix_chunk_end", "end_ms"),
    )

    id: int | None = Field(default=None, primary_key=True)
    block: int
    members: int = Field(sa_type=BigInteger)
    start_ms: int = Field(sa_type=BigInteger)
    end_ms: int = Field(sa_type=BigInteger)
    checksum: int = Field(sa_type=BigInteger)
    damaged: str = ""
    body: bytes = Field(sa_type=LargeBinary)


class MetaRow(Row, table=True):
    """Single facts: when the agent last committed, say."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True)
    value: str


#: Every table, in the order in which they are made.
ROWS: tuple[type[Row], ...] = (
    AlertRow,
    AuditRow,
    GroupRow,
    NotificationRow,
    ToldRow,
    SilenceRow,
    AcknowledgementRow,
    HeartbeatRow,
    ProbeMemoryRow,
    RevisionRow,
    SourceRow,
    SeriesRow,
    JournalRow,
    ChunkRow,
    MetaRow,
)
