"""A job that calls: one ping, and what is remembered of the job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class PingKind(StrEnum):
    """What a job says of itself."""

    SUCCESS = "success"
    START = "start"
    FAIL = "fail"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Ping:
    """One call of a job.

    Args:
        name: of the heartbeat.
        kind: what it says; an exit code of 0 is success, any other fail.
        at: when it arrived.
        exit_code: if it gave one.
        run: id that pairs a start with its end where runs overlap (`rid`), or "".
        body: first bytes of what it sent, as text.
    """

    name: str
    kind: PingKind
    at: datetime
    exit_code: int | None = None
    run: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What is remembered of a job, kept by the store over restarts.

    Args:
        name: of the heartbeat.
        loaded_at: when it was first loaded; a job never heard is counted from here.
        last_success_at: end of the last run that succeeded.
        last_run_at: end of the last run, however it ended.
        last_duration: of the last run that had a start.
        started_at: starts of the runs that go on, by run id.
        successes: runs that succeeded.
        failures: runs that failed.
        failures_in_a_row: since the last success.
        expected_by: absolute time by which the next success is due, grace included; None before the first look.
        blind: time since the last success (or since loaded) in which the agent did not listen; counts as no idleness.
        metrics: numbers taken out of the last success's body.
        body: of the last ping.
    """

    name: str
    loaded_at: datetime
    last_success_at: datetime | None = None
    last_run_at: datetime | None = None
    last_duration: timedelta | None = None
    started_at: Mapping[str, datetime] = field(default_factory=dict)
    successes: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    expected_by: datetime | None = None
    blind: timedelta = timedelta()
    metrics: Mapping[str, float] = field(default_factory=dict)
    body: str = ""
