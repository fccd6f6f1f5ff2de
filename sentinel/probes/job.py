"""The life of a job that calls: what is remembered after a ping, after an outage of ours, after an edit.

Deadlines are absolute instants, worked out when something happens and kept by the store, so that a restart moves
nothing. All functions are pure: what is remembered goes in, what is remembered comes out.

    loaded ──► due_at = loaded_at (or last success) + every       or the next cron run; expected_by = due_at + grace
    success ─► due_at moves on       fail, start, log ─► it stays: what is due is a success
    outage ──► every: moved by its length; cron: a run that fell due meanwhile is not judged, the one after it is next
    edited ──► by its new schedule; another grace, or the same schedule loaded again, moves no due_at
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sentinel.core.heartbeat import Heartbeat, Ping, PingKind
from sentinel.core.schedule import Cron, Every
from sentinel.probes.extract import numbers, parse_json

#: A start is paired with an end at most so much later; healthchecks has the same limit.
LONGEST_RUN = timedelta(hours=72)
#: Overlapping runs that are remembered; a job that starts and never ends does not fill the memory.
MOST_RUNS = 100
#: A success that comes so little before its minute is that run, on a machine whose clock is ahead of ours.
CLOCK_SKEW = timedelta(seconds=5)
#: An outage of ours up to this long is judged as if it had not been.
SHORT_OUTAGE = timedelta(minutes=1)
#: A clock that was set back by so much was wrong; by less, it may be our clock or the job's.
CORRECTION = timedelta(hours=3)


@dataclass(frozen=True, slots=True)
class Timing:
    """When a job is expected: at least every so often, or by cron, each with a grace."""

    schedule: Every | Cron
    grace: timedelta


def loaded(was: Heartbeat | None, name: str, timing: Timing, now: datetime) -> Heartbeat:
    """Return what is remembered once the definition is loaded: at the agent's start and after each reload.

    A job never heard is counted from here; one whose schedule was edited is expected by the new one.
    """
    if was is None:
        was = Heartbeat(name, loaded_at=now)
    if isinstance(timing.schedule, Every):
        return _due_by_rate(was, timing.schedule, timing.grace)
    if was.due_at is None or timing.schedule.next_after(was.due_at - timedelta(seconds=1)) != was.due_at:
        return _due(was, timing.schedule.next_after(now), timing.grace)
    return _due(was, was.due_at, timing.grace)


def pinged(was: Heartbeat, ping: Ping, timing: Timing | None, metrics: Mapping[str, str]) -> Heartbeat:
    """Return what is remembered after a ping.

    A success whose body lacks one of the metrics is a failed run, and the words stand before the body.

    Args:
        was: what was remembered.
        ping: the call.
        timing: when the job is expected; None while it is unclaimed.
        metrics: what is taken out of the JSON body of a success.
    """
    match ping.kind:
        case PingKind.LOG:
            return replace(was, body=ping.body or was.body)
        case PingKind.START:
            going_on = {**was.started_at, ping.run: ping.at}
            newest = sorted(going_on.items(), key=lambda run: run[1])[-MOST_RUNS:]
            return replace(was, started_at=dict(newest), body=ping.body or was.body)
        case PingKind.FAIL:
            return _failed(_ended(was, ping), ping.body)
    try:
        found = {sample.name: sample.value for sample in numbers(_json(ping.body), metrics)} if metrics else {}
    except ValueError as exc:
        return _failed(_ended(was, ping), f"metrics: {exc}\n{ping.body}")
    succeeded = replace(
        _ended(was, ping),
        last_success_at=ping.at,
        successes=was.successes + 1,
        failures_in_a_row=0,
        blind=timedelta(),
        metrics=found,
        body=ping.body,
    )
    if timing is None:
        return succeeded
    if isinstance(timing.schedule, Every):
        return _due_by_rate(succeeded, timing.schedule, timing.grace)
    return _due(succeeded, timing.schedule.next_after(ping.at + CLOCK_SKEW), timing.grace)


def running_since(heartbeat: Heartbeat, now: datetime) -> datetime | None:
    """Return when the oldest run began that goes on, None if none does; after so long its end was lost."""
    return min((at for at in heartbeat.started_at.values() if now - at <= LONGEST_RUN), default=None)


def _json(body: str) -> Any:
    """Read the body, or its last line: whoever sends the output of a job prints its numbers last."""
    try:
        return parse_json(body)
    except ValueError:
        *before, last = body.strip().splitlines() or [""]
        if not before or not last.startswith("{"):
            raise
        return parse_json(last)


def _failed(ended: Heartbeat, body: str) -> Heartbeat:
    return replace(ended, failures=ended.failures + 1, failures_in_a_row=ended.failures_in_a_row + 1, body=body)


def _ended(was: Heartbeat, ping: Ping) -> Heartbeat:
    """Pair the end of a run with its start; an end without a run id takes the start without one."""
    started = was.started_at.get(ping.run)
    took = ping.at - started if started and timedelta() <= ping.at - started <= LONGEST_RUN else None
    going_on = {run: at for run, at in was.started_at.items() if run != ping.run and ping.at - at <= LONGEST_RUN}
    return replace(
        was,
        last_run_at=ping.at,
        last_duration=took if took is not None else was.last_duration,
        exit_code=ping.exit_code,
        started_at=going_on,
    )


def _due(heartbeat: Heartbeat, due_at: datetime, grace: timedelta) -> Heartbeat:
    return replace(heartbeat, due_at=due_at, expected_by=due_at + grace)


def _due_by_rate(heartbeat: Heartbeat, every: Every, grace: timedelta) -> Heartbeat:
    return _due(heartbeat, (heartbeat.last_success_at or heartbeat.loaded_at) + every.interval + heartbeat.blind, grace)


def _set_back(was: Heartbeat, timing: Timing, by: timedelta, now: datetime) -> Heartbeat:
    """Expect a job anew after the clock was set back: by cron at once if it was by hours, else as cron itself does.

    cron(8) takes a change of less than three hours for one of the kind that summer time makes, and runs nothing twice.
    """
    if isinstance(timing.schedule, Every):
        return _due_by_rate(replace(was, blind=was.blind - by), timing.schedule, timing.grace)
    if was.due_at is None or by < CORRECTION:
        return was
    return _due(was, min(was.due_at, timing.schedule.next_after(now)), timing.grace)


@dataclass(frozen=True, slots=True)
class Resumed:
    """A heartbeat after an outage of ours, and the run that is not judged because it fell due in it, if any."""

    heartbeat: Heartbeat
    unjudged: datetime | None = None


def resumed(was: Heartbeat, timing: Timing, away_from: datetime, now: datetime) -> Resumed:
    """Return what is remembered after a time in which the agent did not listen, from `away_from` until `now`.

    Where that is later than now, the clock was set back from there to now: deadlines come as much earlier.
    """
    if away_from > now:
        return Resumed(_set_back(was, timing, away_from - now, now))
    away = now - max(away_from, was.last_success_at or was.loaded_at)
    if away <= timedelta():
        return Resumed(was)
    blinded = replace(was, blind=was.blind + away)
    if isinstance(timing.schedule, Every):
        return Resumed(_due_by_rate(blinded, timing.schedule, timing.grace))
    due, overdue = was.due_at, was.expected_by is not None and was.expected_by <= away_from
    if due is None or away <= SHORT_OUTAGE or overdue or due > now:
        return Resumed(blinded)
    return Resumed(_due(blinded, timing.schedule.next_after(now), timing.grace), due)
