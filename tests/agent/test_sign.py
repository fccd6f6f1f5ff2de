"""The sign of life: `SENTINEL_HEARTBEAT_URL` is called each minute, and only while everything works."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog.testing
from pydantic import SecretStr

from sentinel.agent.agent import Agent
from sentinel.agent.sign import call, why_silent
from sentinel.core.clock import ManualClock
from sentinel.delivery.breaker import Circuit
from sentinel.delivery.deliver import Status
from sentinel.settings import Settings
from tests.e2e.fast import BEGAN
from tests.receivers.http import Answer, HttpReceiver, Request

TREE = "rules: {queue: {last: queue_depth, above: 1, severity: info}}\nnotifiers: {people: {console: {}}}\n"


class Listener(HttpReceiver):
    """Somebody who expects to be called."""

    def answer(self, request: Request) -> tuple[int, Mapping[str, str], Any]:
        """Say that it was heard."""
        return 200, {}, {}


@pytest.fixture
def listener() -> Iterator[Listener]:
    """Return somebody who listens."""
    with Listener() as one:
        yield one


class Couriers:
    """Notifiers that fare so."""

    def __init__(self, *circuits: Circuit) -> None:
        self._circuits = circuits

    def status(self) -> Mapping[str, Status]:
        """Return how each fares."""
        return {str(number): Status(str(number), circuit) for number, circuit in enumerate(self._circuits)}


async def test_a_sign_is_given_at_once_and_its_url_is_not_logged(listener: Listener, tmp_path: Path) -> None:
    """The URL is often a secret: who has it can speak for us."""
    (tmp_path / "tree.yaml").write_text(TREE)
    url = f"{listener.url}/ping/s3cret"
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'sentinel.db'}", config=(tmp_path,), heartbeat_url=SecretStr(url)
    )
    clock = ManualClock(BEGAN)
    with structlog.testing.capture_logs() as logs:
        agent = Agent(settings, {}, clock)
        await agent.start()
        for _ in range(500):
            if listener.requests:
                break
            await asyncio.sleep(0.01)
        assert [request.path for request in listener.requests] == ["/ping/s3cret"]
        was_alive = agent.alive
        assert why_silent(agent.view, agent.couriers, alive=agent.alive) == ""
        view = replace(agent.view, unwritten_since=BEGAN, unwritten_why="the disk is full")
        await agent.stop()
    assert "s3cret" not in str(logs)
    # Nobody decided or counted for a minute:
    clock.advance(timedelta(minutes=2))
    assert (was_alive, agent.alive) == (True, False)
    for why, silent in {
        "the loop or the desk hangs": why_silent(agent.view, agent.couriers, alive=False),
        "the database takes nothing: the disk is full": why_silent(view, agent.couriers, alive=True),
        "no notifier delivers": why_silent(agent.view, Couriers(Circuit.OPEN, Circuit.HALF_OPEN), alive=True),  # type: ignore[arg-type]
        "": why_silent(agent.view, Couriers(Circuit.OPEN, Circuit.CLOSED), alive=True),  # type: ignore[arg-type]
    }.items():
        assert silent == why


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        pytest.param(Answer(status=500), "the sign of life was refused", id="refused"),
        pytest.param(Answer(close=True), "the sign of life was not heard", id="no answer"),
    ],
)
async def test_who_does_not_take_it_is_logged_without_the_url(listener: Listener, answer: Answer, says: str) -> None:
    """And monitoring goes on."""
    listener.always = answer
    with structlog.testing.capture_logs() as logs:
        await call(SecretStr(f"{listener.url}/s3cret"))
    assert [log["event"] for log in logs] == [says]
    assert "s3cret" not in str(logs)
