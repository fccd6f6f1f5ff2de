"""The life of a job that calls: what is remembered after a ping, after an outage of ours, after an edit.

Deadlines are absolute instants, worked out when something happens and kept by the store, so that a restart moves
nothing. All functions are pure: what is remembered goes in, what is remembered comes out.

    loaded ──► expected_by = loaded_at (or last success) + every + grace       or the next cron run + grace
    success ─► expected_by moves on       fail, start, log ─► it stays: what is due is a success
    outage ──► every: moved by its length; cron: a run that fell due meanwhile is not judged, the one after it is next
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
        return replace(was, expected_by=_every_deadline(was, timing.schedule.interval + timing.grace))
    if was.expected_by is not None:
        tick = was.expected_by - timing.grace
        if timing.schedule.next_after(tick - timedelta(seconds=1)) == tick:
            return was
    return replace(was, expected_by=timing.schedule.next_after(now) + timing.grace)


def pinged(was: Heartbeat, ping: Ping, timing: Timing, metrics: Mapping[str, str]) -> Heartbeat:
    """Return what is remembered after a ping.

    A success whose body lacks one of the metrics is a failed run, and the words stand before the body.
    """
    match ping.kind:
        case PingKind.LOG:
            return replace(was, body=ping.body)
        case PingKind.START:
            going_on = {**was.started_at, ping.run: ping.at}
            newest = sorted(going_on.items(), key=lambda run: run[1])[-MOST_RUNS:]
            return replace(was, started_at=dict(newest), body=ping.body)
        case PingKind.FAIL:
            return _failed(_ended(was, ping), ping.body)
    try:
        found = {sample.name: sample.value for sample in numbers(parse_json(ping.body), metrics)} if metrics else {}
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
    if isinstance(timing.schedule, Every):
        return replace(succeeded, expected_by=_every_deadline(succeeded, timing.schedule.interval + timing.grace))
    return replace(succeeded, expected_by=timing.schedule.next_after(ping.at + CLOCK_SKEW) + timing.grace)


def _failed(ended: Heartbeat, body: str) -> Heartbeat:
    return replace(ended, failures=ended.failures + 1, failures_in_a_row=ended.failures_in_a_row + 1, body=body)


def _ended(was: Heartbeat, ping: Ping) -> Heartbeat:
    """Pair the end of a run with its start; an end without a run id takes the start without one."""
    started = was.started_at.get(ping.run)
    took = ping.at - started if started and timedelta() <= ping.at - started <= LONGEST_RUN else None
    going_on = {run: at for run, at in was.started_at.items() if run != ping.run and ping.at - at <= LONGEST_RUN}
    return replace(
        was, last_run_at=ping.at, last_duration=took if took is not None else was.last_duration, started_at=going_on
    )


def _every_deadline(heartbeat: Heartbeat, allowed: timedelta) -> datetime:
    return (heartbeat.last_success_at or heartbeat.loaded_at) + allowed + heartbeat.blind


def _set_back(was: Heartbeat, timing: Timing, by: timedelta, now: datetime) -> Heartbeat:
    """Expect a job anew after the clock was set back: by cron at once if it was by hours, else as cron itself does.

    cron(8) takes a change of less than three hours for one of the kind that summer time makes, and runs nothing twice.
    """
    if isinstance(timing.schedule, Every):
        earlier = replace(was, blind=was.blind - by)
        return replace(earlier, expected_by=_every_deadline(earlier, timing.schedule.interval + timing.grace))
    if was.expected_by is None or by < CORRECTION:
        return was
    return replace(was, expected_by=min(was.expected_by, timing.schedule.next_after(now) + timing.grace))


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
        return Resumed(replace(blinded, expected_by=_every_deadline(blinded, timing.schedule.interval + timing.grace)))
    due = was.expected_by
    if due is None or away <= SHORT_OUTAGE or due <= away_from or due - timing.grace > now:
        return Resumed(blinded)
    return Resumed(replace(blinded, expected_by=timing.schedule.next_after(now) + timing.grace), due - timing.grace)
