"""What people are told of a job, from its calls to the message, on the fast clock: each question of the form `job`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sentinel.core.heartbeat import PingKind
from tests.e2e.fast import FastAgent

TREE = """
probes:
  import: {heartbeat: {every: 10m, grace: 5m}}
  backup: {heartbeat: {cron: "30 2 * * *", timezone: Europe/Berlin, grace: 30m}}
rules:
  late: {job: [import, backup], severity: error}
  idle: {job: {name: import, not_run_for: {warning: 20m, critical: 1h}}}
  fails: {job: {name: import, failed: {warning: 1, critical: 3}}}
  hangs: {job: {name: import, runs_longer_than: {warning: 5m, critical: 30m}}}
  empty: {job: {name: import, runs_shorter_than: 10s}, severity: error}
  loops: {job: {name: import, runs_too_often: 6/h}, severity: warning}
notifiers: {oncall: {console: {}}}
routes: {everything: {notify: [oncall], group_wait: 0s, repeat: 30d}}
"""


@pytest.fixture
def agent(tmp_path: Path) -> FastAgent:
    """Return an agent that starts at noon of an ordinary day."""
    agent = FastAgent(tmp_path)
    agent.write(TREE)
    return agent.start()


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def wait(agent: FastAgent, count: float, *, step: float = 1) -> None:
    """Let minutes pass, looking at the jobs once each step."""
    agent.run(minutes(count), minutes(step))


def runs(agent: FastAgent, lasting: float = 1, *, then: PingKind = PingKind.SUCCESS, run: str = "") -> None:
    """Let the job start, take its minutes, and end."""
    agent.ping("import", PingKind.START, run=run)
    wait(agent, lasting)
    wait(agent, 1 / 60)  # between two looks at the jobs
    agent.ping("import", then, run=run)


def told(agent: FastAgent, rule: str) -> list[str]:
    """Return what was told of one rule."""
    return [line.removesuffix(f" {rule}") for line in agent.told() if line.endswith(f" {rule}")]


def test_a_job_that_runs_as_it_should_is_not_spoken_of(agent: FastAgent) -> None:
    """For hours, each 10 minutes for a minute; and the backup at its hour, 01:30 UTC."""
    agent.clock.advance(minutes(12 * 60))
    agent.restart()
    for at in range(2 * 6):
        runs(agent)
        if at == 9:  # half past one
            agent.ping("backup")
        wait(agent, 9, step=3)
    assert agent.told() == []


def test_a_job_that_stops_is_late_then_idle(agent: FastAgent) -> None:
    """By its own schedule and grace, and by the rule's own times; one success ends both."""
    runs(agent)
    wait(agent, 14.5)
    assert agent.told() == []
    wait(agent, 1)
    assert agent.told() == ["firing error late"]
    wait(agent, 5)
    assert agent.told()[1:] == ["firing warning idle"]
    wait(agent, 40)
    assert agent.told()[2:] == ["rose critical idle"]
    runs(agent)
    wait(agent, 1)
    assert sorted(agent.told()[3:]) == ["resolved critical idle", "resolved error late"]


def test_a_job_never_heard_is_late_too(agent: FastAgent) -> None:
    """It is counted from when it was loaded; a restart begins nothing anew, and time away does not count."""
    wait(agent, 10)
    agent.restart(away=minutes(60))
    wait(agent, 4.5)
    assert agent.told() == []
    wait(agent, 1)
    assert agent.told() == ["firing error late"]


def test_failures_in_a_row_rise_and_a_success_ends_them(agent: FastAgent) -> None:
    """A second after the call, not with the next look."""
    runs(agent, then=PingKind.FAIL)
    wait(agent, 1 / 60)
    assert told(agent, "fails") == ["firing warning"]
    for _ in range(2):
        wait(agent, 3)
        runs(agent, then=PingKind.FAIL)
        wait(agent, 1)
    assert told(agent, "fails") == ["firing warning", "rose critical"]
    wait(agent, 1)
    runs(agent)
    wait(agent, 1)
    assert told(agent, "fails")[2:] == ["resolved critical"]


def test_a_run_that_hangs_is_told_while_it_goes_on(agent: FastAgent) -> None:
    """Also where other runs come and go beside it; its own end is the end of it."""
    agent.ping("import", PingKind.START, run="slow")
    wait(agent, 3.5)
    runs(agent, run="quick")
    assert told(agent, "hangs") == []
    wait(agent, 1)
    assert told(agent, "hangs") == ["firing warning"]
    for _ in range(5):
        wait(agent, 4)
        runs(agent, run="quick")
    wait(agent, 1)
    assert told(agent, "hangs") == ["firing warning", "rose critical"]
    agent.ping("import", run="slow")
    wait(agent, 1)
    assert told(agent, "hangs")[2:] == []  # the last run took half an hour
    runs(agent, run="quick")
    wait(agent, 1)
    assert told(agent, "hangs")[2:] == ["resolved critical"]


def test_a_restart_in_a_run_forgets_no_start(agent: FastAgent) -> None:
    """The run goes on while the agent does not."""
    agent.ping("import", PingKind.START, run="a")
    wait(agent, 1)
    agent.restart(away=minutes(2))
    wait(agent, 1)
    assert told(agent, "hangs") == []
    wait(agent, 1.5)
    assert told(agent, "hangs") == ["firing warning"]


def test_a_run_that_is_too_short_did_nothing(agent: FastAgent) -> None:
    """A backup of an empty folder succeeds in a second."""
    runs(agent, 1 / 20)
    wait(agent, 1)
    assert told(agent, "empty") == ["firing error"]
    runs(agent)
    wait(agent, 1)
    assert told(agent, "empty") == ["firing error", "resolved error"]


def test_a_job_that_loops_runs_too_often(agent: FastAgent) -> None:
    """The seventh run in an hour, failed or not, and over when an hour has fewer again."""
    for at in range(8):
        assert told(agent, "loops") == ([] if at < 7 else ["firing warning"])
        runs(agent, 0.5, then=PingKind.FAIL if at % 2 else PingKind.SUCCESS)
        wait(agent, 0.5)
    wait(agent, 70, step=5)
    assert told(agent, "loops") == ["firing warning", "resolved warning"]


@pytest.mark.parametrize(
    ("noon", "due"),
    [
        pytest.param("2026-03-27", "2026-03-28T01:30", id="winter"),
        pytest.param("2026-03-28", "2026-03-29T01:00", id="02:30 is leapt over: 03:00, which is 01:00 UTC"),
        pytest.param("2026-03-29", "2026-03-30T00:30", id="summer"),
        pytest.param("2026-10-24", "2026-10-25T00:30", id="02:30 comes twice: the first time"),
        pytest.param("2026-10-25", "2026-10-26T01:30", id="winter again"),
    ],
)
def test_a_backup_that_does_not_come_is_late_by_the_clock_on_the_wall(tmp_path: Path, noon: str, due: str) -> None:
    """Half an hour after it was due, to the minute, on the nights of summer time, over a restart in the evening."""
    agent = FastAgent(tmp_path)
    agent.clock.advance(datetime.fromisoformat(noon).replace(hour=12, tzinfo=UTC) - agent.clock.now())
    agent.write(
        TREE.replace("[import, backup]", "backup").replace("import:", "import-unused:").split("  idle:")[0]
        + "notifiers: {oncall: {console: {}}}\nroutes: {everything: {notify: [oncall], group_wait: 0s}}\n"
    )
    agent.start()
    late = datetime.fromisoformat(due).replace(tzinfo=UTC) + minutes(30)
    wait(agent, 6 * 60, step=30)
    agent.restart(away=minutes(20))
    wait(agent, (late - agent.clock.now()) / minutes(1) - 0.5, step=30)
    assert agent.told() == []
    wait(agent, 1)
    assert agent.told() == ["firing error late"]


def test_another_grace_does_not_forgive_what_is_late(agent: FastAgent) -> None:
    """An edit while it fires: the alert goes on until the backup comes."""
    wait(agent, 15 * 60, step=30)  # 03:00 UTC, in winter
    assert "firing error late" in agent.told()
    agent.write(TREE.replace("grace: 30m", "grace: 1h"))
    agent.reload()
    wait(agent, 2)
    [backup] = [one for one in agent.desk.state.telling.alerts if one.labels.get("job") == "backup"]
    assert str(backup.phase) == "firing"


def test_a_job_that_nobody_defined_wakes_nobody(agent: FastAgent) -> None:
    """It is remembered until a commit adds it, over a restart; then it is late from its last success on."""
    agent.ping("new", create=True)
    wait(agent, 60, step=10)
    agent.restart()
    assert [line for line in agent.told() if "late" in line] == ["firing error late"]  # that is the import
    agent.write(
        TREE.replace("probes:", "probes:\n  new: {heartbeat: {every: 70m, grace: 1m}}").replace("[import,", "[new,")
    )
    agent.reload()
    wait(agent, 5)
    assert not any(one.labels.get("job") == "new" for one in agent.desk.state.telling.alerts)
    wait(agent, 7)
    assert any(one.labels.get("job") == "new" for one in agent.desk.state.telling.alerts)
