"""The life of a job that calls: deadlines, outages, edits, runs that overlap."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sentinel.core.heartbeat import Heartbeat, Ping, PingKind
from sentinel.core.schedule import Cron, Every
from sentinel.probes.heartbeat import HeartbeatKind, heartbeat_batch
from sentinel.probes.job import MOST_RUNS, Timing, loaded, pinged, resumed
from sentinel.probes.probe import Probe

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEN = HeartbeatKind.model_validate({"every": "10m", "grace": "5m", "metrics": {"items": "found.items"}})
NIGHTLY = HeartbeatKind.model_validate({"cron": "0 2 * * *", "timezone": "Europe/Berlin", "grace": "30m"})


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def call(
    was: Heartbeat,
    minutes: float,
    kind: PingKind = PingKind.SUCCESS,
    body: str = '{"found": {"items": 3}}',
    run: str = "",
) -> Heartbeat:
    return pinged(was, Ping("discovery", kind, at(minutes), run=run, body=body), TEN.timing, TEN.metrics)


def new() -> Heartbeat:
    return loaded(None, "discovery", TEN.timing, T0)


def samples(heartbeat: Heartbeat, minutes: float) -> dict[str, float]:
    probe = Probe("discovery", TEN, "heartbeat", Every(timedelta(seconds=15)), timedelta(seconds=10), {"env": "test"})
    batch = heartbeat_batch(probe, heartbeat, at(minutes))
    assert all(dict(sample.labels).items() >= {"job": "discovery", "env": "test"}.items() for sample in batch.samples)
    return {sample.name + sample.labels.get("status", ""): sample.value for sample in batch.samples}


def test_a_job_never_heard_is_counted_from_when_it_was_loaded() -> None:
    """It is overdue one period and grace later, and has no last success."""
    heartbeat = new()
    assert heartbeat.expected_by == at(15)
    seen = samples(heartbeat, 20)
    assert seen["job_idle_seconds"] == 20 * 60
    assert seen["job_overdue_seconds"] == 5 * 60
    assert (seen["job_runs_totalsuccess"], seen["job_runs_totalfailure"]) == (0, 0)
    assert "job_last_success_timestamp_seconds" not in seen


def test_a_success_moves_the_deadline_and_a_failure_does_not() -> None:
    """What is due is a success."""
    heartbeat = call(call(new(), 10), 12, PingKind.FAIL)
    assert heartbeat.expected_by == at(25)
    seen = samples(heartbeat, 13)
    assert seen["job_idle_seconds"] == 180
    assert seen["job_last_success_timestamp_seconds"] == at(10).timestamp()
    assert seen["job_last_run_timestamp_seconds"] == at(12).timestamp()
    assert (seen["job_runs_totalsuccess"], seen["job_runs_totalfailure"]) == (1, 1)
    assert seen["job_consecutive_failures"] == 1
    assert seen["items"] == 3
    assert samples(call(heartbeat, 14), 14)["job_consecutive_failures"] == 0


def test_words_for_the_record_change_no_verdict() -> None:
    """A log is neither a run nor a success."""
    logged = call(new(), 5, PingKind.LOG, "half way")
    assert logged.body == "half way"
    assert (logged.expected_by, logged.last_run_at, logged.successes) == (at(15), None, 0)


def test_a_success_without_its_metric_is_a_failed_run() -> None:
    """A renamed field is noticed, not lost."""
    heartbeat = call(new(), 5, body='{"count": 3}')
    assert (heartbeat.successes, heartbeat.failures) == (0, 1)
    assert heartbeat.body == 'metrics: found.items finds nothing in the JSON; there are count\n{"count": 3}'


def test_runs_that_overlap_are_paired_by_their_ids() -> None:
    """Each end takes its own start; the oldest run that goes on is shown."""
    heartbeat = call(call(new(), 0, PingKind.START, run="a"), 2, PingKind.START, run="b")
    assert samples(heartbeat, 3)["job_running_seconds"] == 180
    heartbeat = call(heartbeat, 3, run="b")
    assert heartbeat.last_duration == timedelta(minutes=1)
    heartbeat = call(heartbeat, 4, run="a")
    assert heartbeat.last_duration == timedelta(minutes=4)
    assert samples(heartbeat, 5)["job_running_seconds"] == 0


def test_a_start_of_long_ago_is_not_paired() -> None:
    """A run of four days is a start whose end never came."""
    heartbeat = call(call(new(), 0, PingKind.START), 4 * 24 * 60)
    assert heartbeat.last_duration is None
    assert heartbeat.started_at == {}


def test_a_job_that_only_starts_does_not_fill_the_memory() -> None:
    """The newest starts are kept."""
    heartbeat = new()
    for number in range(MOST_RUNS + 5):
        heartbeat = call(heartbeat, number, PingKind.START, run=str(number))
    assert len(heartbeat.started_at) == MOST_RUNS
    assert "0" not in heartbeat.started_at


def nightly(*, loaded_at: datetime) -> Heartbeat:
    return loaded(None, "backup", NIGHTLY.timing, loaded_at)


@pytest.mark.parametrize(
    ("loaded_at", "expected_by"),
    [
        pytest.param("2026-03-27T12:00", "2026-03-28T01:30", id="winter: 02:00 is 01:00 UTC"),
        pytest.param("2026-03-28T12:00", "2026-03-29T01:30", id="02:00 is skipped: 03:00 summer time, 01:00 UTC"),
        pytest.param("2026-03-29T12:00", "2026-03-30T00:30", id="summer: 02:00 is 00:00 UTC"),
        pytest.param("2026-10-24T12:00", "2026-10-25T00:30", id="02:00 comes twice: the first counts"),
    ],
)
def test_a_cron_is_read_on_the_clock_of_its_zone(loaded_at: str, expected_by: str) -> None:
    """Deadlines are right across daylight-saving changes."""
    heartbeat = nightly(loaded_at=datetime.fromisoformat(loaded_at).replace(tzinfo=UTC))
    assert heartbeat.expected_by == datetime.fromisoformat(expected_by).replace(tzinfo=UTC)


def test_a_success_a_moment_early_is_that_run() -> None:
    """The job's clock may be ahead of ours."""
    timing = Timing(Cron("*/10 * * * *"), timedelta(minutes=5))
    was = loaded(None, "d", timing, T0)
    early = pinged(was, Ping("d", PingKind.SUCCESS, at(10) - timedelta(seconds=1)), timing, {})
    assert early.expected_by == at(25)
    late = pinged(was, Ping("d", PingKind.SUCCESS, at(9)), timing, {})
    assert late.expected_by == at(15)


def test_a_restart_moves_no_deadline() -> None:
    """Loading what is stored again changes nothing."""
    for heartbeat, timing in ((call(new(), 3), TEN.timing), (nightly(loaded_at=T0), NIGHTLY.timing)):
        assert loaded(heartbeat, heartbeat.name, timing, at(7)) == heartbeat


def test_an_edited_schedule_counts_at_once() -> None:
    """The deadline is the new schedule's."""
    heartbeat = call(new(), 3)
    assert loaded(heartbeat, "d", Timing(Every(timedelta(hours=1)), timedelta()), at(4)).expected_by == at(63)
    cron = Timing(Cron("30 * * * *"), timedelta(minutes=1))
    assert loaded(heartbeat, "d", cron, at(4)).expected_by == at(31)


def test_time_in_which_we_were_away_counts_for_no_idleness() -> None:
    """An hour's outage of ours makes no job overdue."""
    heartbeat = call(new(), 5)
    back = resumed(heartbeat, TEN.timing, at(10), at(70)).heartbeat
    assert back.expected_by == at(5 + 15 + 60)
    assert samples(back, 72)["job_idle_seconds"] == 7 * 60
    assert call(back, 72).blind == timedelta()


@pytest.mark.parametrize(
    ("away_from", "until", "expected_by", "unjudged"),
    [
        pytest.param(0, 9, 15, None, id="nothing fell due"),
        pytest.param(9, 21, 35, 10, id="fell due while we were away"),
        pytest.param(12, 14, 25, 10, id="its call may have come while we were away"),
        pytest.param(9.5, 10.2, 15, None, id="away for less than a minute"),
        pytest.param(16, 40, 15, None, id="overdue before we went"),
    ],
)
def test_a_cron_run_that_fell_due_while_we_were_away_is_not_judged(
    away_from: float, until: float, expected_by: float, unjudged: float | None
) -> None:
    """Nobody knows whether it called; the next one is due."""
    timing = Timing(Cron("*/10 * * * *"), timedelta(minutes=5))
    back = resumed(loaded(None, "d", timing, at(-1) + timedelta(minutes=1)), timing, at(away_from), at(until))
    assert back.heartbeat.expected_by == at(expected_by)
    assert back.unjudged == (at(unjudged) if unjudged is not None else None)


@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.sampled_from(list(PingKind)), st.sampled_from(["", "a", "b"])), max_size=30
    )
)
def test_whatever_is_called_the_numbers_agree(calls: list[tuple[float, PingKind, str]]) -> None:
    """Runs are counted once each, and the deadline is never before the last success."""
    heartbeat = new()
    for minutes, kind, run in sorted(calls, key=lambda one: one[0]):
        heartbeat = call(heartbeat, minutes, kind, run=run)
    kinds = [kind for _, kind, _ in calls]
    assert (heartbeat.successes, heartbeat.failures) == (kinds.count(PingKind.SUCCESS), kinds.count(PingKind.FAIL))
    assert heartbeat.expected_by is not None
    assert heartbeat.expected_by == (heartbeat.last_success_at or T0) + timedelta(minutes=15)
    assert all(value >= 0 for value in samples(heartbeat, 101).values())


@pytest.mark.parametrize(
    ("given", "grace"),
    [
        ({"every": "10m"}, timedelta(minutes=5)),
        ({"every": "1d"}, timedelta(hours=1)),
        ({"every": "10m", "grace": "0s"}, timedelta()),
        ({"cron": "*/10 * * * *"}, timedelta(minutes=5)),
    ],
)
def test_the_grace_that_is_not_given(given: dict[str, Any], grace: timedelta) -> None:
    """Half the time between two runs, at most an hour: a job each 10 minutes is overdue after 15."""
    assert HeartbeatKind.model_validate(given).timing.grace == grace


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "exactly one of every and cron"),
        ({"every": "1m", "cron": "* * * * *"}, "exactly one of every and cron"),
        ({"every": "1m", "timezone": "Europe/Berlin"}, "timezone belongs to cron"),
        ({"cron": "* * * * *", "timezone": "Berlin"}, "Berlin"),
        ({"every": "5"}, "5"),
    ],
)
def test_a_bad_definition_is_refused(given: dict[str, Any], words: str) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError, match=re.escape(words)):
        HeartbeatKind.model_validate(given)
