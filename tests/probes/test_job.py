"""The life of a job that calls: deadlines, outages, edits, runs that overlap."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sentinel.core.heartbeat import Heartbeat, Ping, PingKind
from sentinel.core.schedule import Cron, Every
from sentinel.probes.heartbeat import HeartbeatKind, heartbeat_batch
from sentinel.probes.job import CLOCK_SKEW, MOST_RUNS, Timing, loaded, pinged, resumed
from sentinel.probes.probe import Probe
from tests.dice import rolls

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


def test_a_run_whose_end_was_lost_is_over_some_day() -> None:
    """The machine was switched off: it goes on for three days, as far as anybody knows, and then no longer."""
    heartbeat = call(new(), 0, PingKind.START, run="a")
    assert samples(heartbeat, 72 * 60)["job_running_seconds"] == 72 * 3600
    assert samples(heartbeat, 72 * 60 + 1)["job_running_seconds"] == 0


def test_a_start_without_an_id_takes_the_place_of_the_last_one() -> None:
    """As with healthchecks: the clock of a job without run ids begins anew."""
    heartbeat = call(call(new(), 0, PingKind.START), 30, PingKind.START)
    assert samples(heartbeat, 31)["job_running_seconds"] == 60
    assert call(heartbeat, 32).last_duration == timedelta(minutes=2)


def test_an_end_with_another_id_ends_no_run() -> None:
    """As with healthchecks: a duration is only what one run took."""
    heartbeat = call(call(new(), 0, PingKind.START, run="a"), 5, run="b")
    assert heartbeat.last_duration is None
    assert list(heartbeat.started_at) == ["a"]


def test_the_output_is_that_of_the_last_end_until_more_is_said() -> None:
    """A start without words, a minute after a failure, does not hide why it failed."""
    failed = pinged(new(), Ping("d", PingKind.FAIL, at(1), 3, body="no space left"), TEN.timing, {})
    started = call(failed, 2, PingKind.START, body="")
    assert (started.body, started.exit_code) == ("no space left", 3)
    assert call(started, 3, PingKind.LOG, body="cleaning").body == "cleaning"
    ended = pinged(started, Ping("d", PingKind.SUCCESS, at(4), 0), TEN.timing, {})
    assert (ended.body, ended.exit_code) == ("", 0)


def test_numbers_may_stand_in_the_last_line() -> None:
    """Whoever sends the output of a job prints its numbers last; what is no JSON at all still fails the run."""
    assert call(new(), 5, body='scraping\ndone\n{"found": {"items": 7}}\n').metrics == {"items": 7}
    assert call(new(), 5, body="scraping\ndone\n").failures == 1
    assert "not JSON" in call(new(), 5, body="").body


def test_a_job_that_nobody_defined_has_no_deadline() -> None:
    """It is only remembered; once it is defined it is expected by that."""
    unclaimed = pinged(Heartbeat("d", at(0)), Ping("d", PingKind.SUCCESS, at(3)), None, {})
    assert (unclaimed.due_at, unclaimed.expected_by, unclaimed.successes) == (None, None, 1)
    assert loaded(unclaimed, "d", TEN.timing, at(5)).expected_by == at(3 + 15)
    assert loaded(unclaimed, "d", NIGHTLY.timing, at(5)).due_at == datetime(2026, 3, 2, 1, tzinfo=UTC)


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


def test_another_grace_forgives_no_run_that_is_overdue() -> None:
    """An edit of the grace moves when it is overdue, not what is due."""
    was = nightly(loaded_at=T0)
    longer = Timing(NIGHTLY.timing.schedule, timedelta(hours=2))
    edited = loaded(was, "backup", longer, T0 + timedelta(days=3))
    assert edited.due_at == was.due_at == datetime(2026, 3, 2, 1, tzinfo=UTC)
    assert edited.expected_by == datetime(2026, 3, 2, 3, tzinfo=UTC)


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


class Steps(NamedTuple):
    """What happens in the life of a job, and how many minutes after the step before."""

    after: float
    what: str
    run: str


STEPS = st.lists(
    st.builds(
        Steps, st.floats(0, 400), st.sampled_from(["success", "fail", "start", "log", "load", "outage"]), st.just("")
    ),
    max_size=25,
)


@given(STEPS)
def test_a_deadline_counts_the_time_in_which_we_listened(steps: list[Steps]) -> None:
    """Whatever is called, loaded and missed, in any order: idle is the time since the last success that we were there.

    Beside it goes the plainest account of that: a number of minutes.
    """
    heartbeat, now, idle = new(), 0.0, 0.0
    for step in steps:
        if step.what == "outage":
            heartbeat = resumed(heartbeat, TEN.timing, at(now), at(now + step.after)).heartbeat
            now += step.after
            continue
        now, idle = now + step.after, idle + step.after
        if step.what == "load":
            heartbeat = loaded(heartbeat, "discovery", TEN.timing, at(now))
        else:
            heartbeat = call(heartbeat, now, PingKind(step.what))
            idle = 0.0 if step.what == "success" else idle
        seen = samples(heartbeat, now)
        assert seen["job_idle_seconds"] == pytest.approx(idle * 60, abs=0.01)
        assert seen["job_overdue_seconds"] == pytest.approx(max(0.0, (idle - 15) * 60), abs=0.01)


#: Zones that change their clocks, at different hours and by different lengths, and one that does not.
ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kolkata")
#: Expressions, each with what it means for a local time at a quarter of an hour.
CRONS: dict[str, Callable[[datetime], bool]] = {
    "*/15 * * * *": lambda local: True,
    "0 * * * *": lambda local: local.minute == 0,
    "30 2 * * *": lambda local: (local.hour, local.minute) == (2, 30),
    "30 1 * * sun": lambda local: (local.weekday(), local.hour, local.minute) == (6, 1, 30),
    "15 2,14 * * mon-fri": lambda local: local.weekday() < 5 and local.hour in (2, 14) and local.minute == 15,
}
QUARTER = timedelta(minutes=15)


@rolls(30)
@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  # UTC is added
    st.sampled_from(ZONES),
    st.sampled_from(sorted(CRONS)),
    st.lists(st.floats(0, 3000), max_size=4),
)
def test_a_cron_deadline_is_the_next_run_that_the_clock_shows(
    success: datetime, zone: str, cron: str, restarts: list[float]
) -> None:
    """Across changes of summer time and any restarts: found again on the zone's clock."""
    timing = Timing(Cron(cron, zone), timedelta(minutes=30))
    was = loaded(None, "d", timing, success - timedelta(days=1))
    heartbeat = pinged(was, Ping("d", PingKind.SUCCESS, success), timing, {})
    for minutes in restarts:
        heartbeat = loaded(heartbeat, "d", timing, success + timedelta(minutes=minutes))
    assert heartbeat.due_at
    assert heartbeat.expected_by == heartbeat.due_at + timedelta(minutes=30)
    assert heartbeat.due_at == _first_shown(cron, ZoneInfo(zone), success + CLOCK_SKEW)


def _first_shown(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Look at each quarter of an hour: a run is when the clock first shows its time, or leaps over it."""
    shown: deque[datetime] = deque(maxlen=5)
    now = after.replace(minute=0, second=0, microsecond=0) - timedelta(hours=2)
    while True:
        now += QUARTER
        local = now.astimezone(zone).replace(tzinfo=None)
        leapt = range((local - shown[-1]) // QUARTER - 1 if shown else 0)
        passed = [*(shown[-1] + (each + 1) * QUARTER for each in leapt), local]
        if now > after and local not in shown and any(map(CRONS[cron], passed)):
            return now
        shown.append(local)


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
