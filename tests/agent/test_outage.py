"""What a person hears of a time in which the agent was down."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import structlog.testing

from sentinel.agent.agent import Agent
from sentinel.core.clock import ManualClock
from sentinel.settings import Settings
from sentinel.web.status import notices
from tests.e2e.fast import BEGAN

TREE = """
probes:
  backup: {heartbeat: {cron: "30 12 * * *", grace: 5m}}
  hourly: {heartbeat: {every: 1h}}
notifiers: {people: {console: {}}}
"""


async def test_the_message_about_the_outage_names_the_run_that_is_not_judged(tmp_path: Path) -> None:
    """DESIGN: "a cron run that fell due while the agent was down … is not judged, and the message … names it"."""
    (tmp_path / "tree.yaml").write_text(TREE)
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'sentinel.db'}", config=(tmp_path,))
    clock = ManualClock(BEGAN)
    assert await _started(settings, clock) == ("", [])
    clock.advance(timedelta(seconds=50))
    assert await _started(settings, clock) == ("", [])
    clock.advance(timedelta(minutes=70))
    words, notes = await _started(settings, clock)
    assert words.startswith("Nobody looked for 1h10m")
    assert "backup at 2026-03-02 12:30 UTC" in words
    assert "hourly" not in words
    assert notes == [words]


async def _started(settings: Settings, clock: ManualClock) -> tuple[str, list[str]]:
    """Start an agent; return what it says of the time before, and what the page shows of that."""
    agent = Agent(settings, {}, clock)
    with structlog.testing.capture_logs() as logs:
        await agent.start()
        clock.advance(timedelta(seconds=1))
        notes = [str(notice["words"]) for notice in notices(agent, clock.now())]
        later: datetime = clock.now() + timedelta(days=2)
        assert notices(agent, later) == []
        await agent.stop()
    said = [entry for entry in logs if entry["event"] == "nobody looked"]
    assert bool(said) is bool(agent.outage)
    assert all("backup" in entry["not_judged"] for entry in said)
    return agent.outage, notes
