"""An agent in this process, on a real database and tree, and a client of its application."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from sentinel.agent.agent import Agent
from sentinel.core.sample import Batch, Sample
from sentinel.settings import Settings
from sentinel.web.app import create_app

TREE = """
probes:
  nightly: {heartbeat: {every: 1h}}
  shop: {http: {url: "http://127.0.0.1:9/"}, every: 1h}
rules:
  queue:
    last: queue_depth
    above: {warning: 10, critical: 50}
    summary: "{{ value }} wait <in> line"
    runbook: https://runbooks.example.com/queue
    owner: shop
notifiers: {people: {console: {}}}
"""


@dataclass
class House:
    """The agent and who asks it."""

    agent: Agent
    client: httpx.AsyncClient
    folder: Path

    async def measure(self, name: str, value: float) -> None:
        """Let a sample arrive as if a probe had brought it, and wait until it was judged."""
        now = datetime.now(UTC)
        success = Sample("probe_success", 1.0, {"probe": "shop"})
        found = Sample(name, value, {"probe": "shop"})
        batch = Batch("test", (found, success), now, timedelta(hours=1), whole=False)
        self.agent.desk.arrive(batch)

    async def until(self, what: str, seen: Callable[[], object]) -> None:
        """Wait until something is so."""
        for _ in range(500):
            if seen():
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"never seen: {what}")


Start = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Return how a house is started; settings may be given."""

    @asynccontextmanager
    async def started(tree: str = TREE, **settings: object) -> AsyncIterator[House]:
        (tmp_path / "tree.yaml").write_text(tree)
        all_settings = {
            "database_url": f"sqlite:///{tmp_path / 'sentinel.db'}",
            "config": (tmp_path,),
            "name": "test-agent",
            **settings,
        }
        agent = Agent(Settings(**all_settings), {})  # type: ignore[arg-type]
        await agent.start()
        transport = httpx.ASGITransport(app=create_app(agent))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:9160") as client:
            try:
                yield House(agent, client, tmp_path)
            finally:
                await agent.stop()

    return started
