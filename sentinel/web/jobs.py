"""Jobs: how those stand that call, as a mapping for the API, the CLI and the page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sentinel.agent.view import View
from sentinel.core.heartbeat import Heartbeat
from sentinel.core.quantity import format_duration
from sentinel.probes.heartbeat import HeartbeatKind
from sentinel.probes.job import running_since
from sentinel.probes.probe import Probe
from sentinel.web.present import Json, instant
from sentinel.web.words import ago, length, seconds


def jobs(view: View, now: datetime) -> list[Json]:
    """Return how each job stands: those that are defined, then those that only call."""
    defined = [
        _job(probe, view.heartbeats.get(name), now)
        for name, probe in view.config.probes.items()
        if isinstance(probe.kind, HeartbeatKind)
    ]
    return defined + [_unclaimed(one, now) for one in view.heartbeats.values() if one.due_at is None]


def _job(probe: Probe, heartbeat: Heartbeat | None, now: datetime) -> Json:
    kind = probe.kind
    assert isinstance(kind, HeartbeatKind)
    timing = kind.timing
    one = heartbeat or Heartbeat(probe.name, now)
    tone, state = _state(one, now)
    every = f"every {timing.schedule}"
    if kind.cron is not None:
        every = f"cron {timing.schedule}{'' if kind.timezone == 'UTC' else f' {kind.timezone}'}"
    said = f"{every}, grace {format_duration(timing.grace)}"
    return {**_facts(one, now), "schedule": said, "tone": tone, "tone_words": state}


def _unclaimed(one: Heartbeat, now: datetime) -> Json:
    yaml = f"probes: {{{one.name}: {{heartbeat: {{every: 1d}}}}}}"
    return {
        **_facts(one, now),
        "schedule": "not in the tree",
        "tone": "warn",
        "tone_words": "unclaimed",
        "words": f"calls since {one.loaded_at:%Y-%m-%d}, last {ago(one.last_run_at, now)}; to be told when it does "
        f"not, add {yaml}",
    }


def _state(one: Heartbeat, now: datetime) -> tuple[str, str]:
    if _overdue(one, now):
        return "bad", "overdue"
    if one.failures_in_a_row:
        return "bad", "failed"
    if running_since(one, now):
        return "good", "running"
    return ("good", "well") if one.last_success_at else ("blind", "never heard")


def _overdue(one: Heartbeat, now: datetime) -> bool:
    return one.expected_by is not None and now > one.expected_by


def _facts(one: Heartbeat, now: datetime) -> Json:
    return {
        "name": one.name,
        "words": ", ".join(_said(one, now)),
        "last_success_at": instant(one.last_success_at),
        "last_run_at": instant(one.last_run_at),
        "last_duration_seconds": one.last_duration.total_seconds() if one.last_duration is not None else None,
        "exit_code": one.exit_code,
        "running_since": instant(running_since(one, now)),
        "due_at": instant(one.due_at),
        "expected_by": instant(one.expected_by),
        "overdue_since": instant(one.expected_by) if _overdue(one, now) else None,
        "successes": one.successes,
        "failures": one.failures,
        "failures_in_a_row": one.failures_in_a_row,
        "output": one.last_lines,
    }


def _said(one: Heartbeat, now: datetime) -> Iterator[str]:
    yield f"last success {ago(one.last_success_at, now)}"
    if one.last_duration is not None:
        took = one.last_duration
        yield f"took {length(took) if took >= timedelta(minutes=1) else seconds(took.total_seconds())}"
    if one.failures_in_a_row:
        times = f"{one.failures_in_a_row} times in a row" if one.failures_in_a_row > 1 else "once"
        code = f" (exit code {one.exit_code})" if one.exit_code else ""
        yield f"failed {times}, last {ago(one.last_run_at, now)}{code}"
    if began := running_since(one, now):
        yield f"running for {length(now - began)}"
    if one.due_at is None or one.expected_by is None:
        return
    if _overdue(one, now):
        yield f"was due {ago(one.due_at, now)}, overdue for {length(now - one.expected_by)}"
    else:
        yield f"{'next due' if one.due_at > now else 'was due'} {ago(one.due_at, now)}"
