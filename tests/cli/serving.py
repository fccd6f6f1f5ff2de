"""An agent with its HTTP server, in a thread of this process: commands ask it as they would any other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sentinel.agent.agent import Agent
from sentinel.core.address import Address
from sentinel.core.notification import Attempt, Notification, Reason, Settled, Settlement
from sentinel.core.sample import Batch, Sample
from sentinel.core.severity import Severity
from sentinel.settings import Settings
from sentinel.store.database import Transaction
from sentinel.web.app import create_app
from sentinel.web.listen import listen
from sentinel.web.server import server
from tests.e2e.process import free_port


@dataclass
class Served:
    """The agent, and what happens to it."""

    agent: Agent
    folder: Path
    url: str
    _buried: list[str] = field(default_factory=list)

    def measure(self, name: str, value: float) -> None:
        """Let a sample arrive as if a probe had brought it."""
        samples = (Sample("probe_success", 1.0, {"probe": "shop"}), Sample(name, value, {"probe": "shop"}))
        self.agent.desk.arrive(Batch("test", samples, datetime.now(UTC), timedelta(hours=1), whole=False))

    def until(self, seen: Callable[[], object]) -> None:
        """Wait until something is so."""
        pause = threading.Event()
        for _ in range(1000):
            if seen():
                return
            pause.wait(0.01)
        raise AssertionError("never seen")

    def bury(self, notifier: str) -> str:
        """Leave a dead letter; return its id."""
        now, id_ = datetime.now(UTC), f"dead-{len(self._buried)}"
        self._buried.append(id_)
        attempts = (Attempt(now, "channel_not_found", 0.5),)
        row = Notification(id_, notifier, "all{}", Reason.FIRING, ("0123456789abcdef",), Severity.ERROR, now, now)
        dead = replace(row, settlement=Settlement.DEAD, tries=1, attempts=attempts, why="channel_not_found")

        def write(tx: Transaction) -> Settled:
            tx.notifications.put(dead)
            return Settled((dead,))

        self.agent.desk.write(write, self.agent.desk.settled).result(10)
        return id_


@contextmanager
def served(folder: Path, tree: str) -> Iterator[Served]:
    """Start an agent on a tree, and its server on a port of its own."""
    (folder / "tree.yaml").write_text(tree)
    port = free_port()
    settings = Settings(
        database_url=f"sqlite:///{folder / 'sentinel.db'}",
        config=(folder,),
        name="test-agent",
        listen=f"127.0.0.1:{port}",
        token=None,
    )
    started, stop = threading.Event(), threading.Event()
    agent = Agent(settings, {})

    async def live() -> None:
        await agent.start()
        serving = server(create_app(agent))
        task = asyncio.create_task(serving.serve(sockets=[listen(Address("127.0.0.1", port))]))
        started.set()
        while not stop.is_set():
            await asyncio.sleep(0.02)
        serving.end()
        await task
        await agent.stop()

    thread = threading.Thread(target=lambda: asyncio.run(live()))
    thread.start()
    try:
        assert started.wait(30)
        yield Served(agent, folder, f"http://127.0.0.1:{port}")
    finally:
        stop.set()
        thread.join(30)
