"""A job that calls: one ping, and what is remembered of the job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

#: Of what a job sent, so many last lines and letters are shown beside other things.
_LINES, _LETTERS = 10, 1_000
_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\))")


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
        name: of the heartbeat, or the UUID that its definition gives it.
        kind: what it says; an exit code of 0 is success, any other fail.
        at: when it arrived.
        exit_code: if it gave one.
        run: id that pairs a start with its end where runs overlap (`rid`), or "".
        body: first bytes of what it sent, as text.
        create: whether to remember a job that nobody defined yet.
    """

    name: str
    kind: PingKind
    at: datetime
    exit_code: int | None = None
    run: str = ""
    body: str = ""
    create: bool = False


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What is remembered of a job, kept by the store over restarts.

    A job that called with `create=1` before anybody defined it is remembered without `due_at`: it is unclaimed.

    Args:
        name: of the heartbeat.
        loaded_at: when it was first loaded; a job never heard is counted from here.
        last_success_at: end of the last run that succeeded.
        last_run_at: end of the last run, however it ended.
        last_duration: of the last run that had a start.
        exit_code: of the last run that ended, if it gave one.
        started_at: starts of the runs that go on, by run id.
        successes: runs that succeeded.
        failures: runs that failed.
        failures_in_a_row: since the last success.
        due_at: absolute time at which the next success is due, without grace; None while the job is unclaimed.
        expected_by: when it is overdue: `due_at` and the grace.
        blind: time since the last success (or since loaded) in which the agent did not listen; counts as no idleness.
        metrics: numbers taken out of the last success's body.
        body: what the last run that ended sent, or whatever was sent since.
    """

    name: str
    loaded_at: datetime
    last_success_at: datetime | None = None
    last_run_at: datetime | None = None
    last_duration: timedelta | None = None
    exit_code: int | None = None
    started_at: Mapping[str, datetime] = field(default_factory=dict)
    successes: int = 0
    failures: int = 0
    failures_in_a_row: int = 0
    due_at: datetime | None = None
    expected_by: datetime | None = None
    blind: timedelta = timedelta()
    metrics: Mapping[str, float] = field(default_factory=dict)
    body: str = ""

    @property
    def last_lines(self) -> str:
        """The end of what was sent, without what would colour or move on a terminal."""
        lines = _ESCAPES.sub("", self.body).rstrip().splitlines()[-_LINES:]
        return "".join(letter for letter in "\n".join(lines)[-_LETTERS:] if letter.isprintable() or letter in "\n\t")
