"""What a probe remembers, and what it saw: the process dies at each statement, and a line of a log counts once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from sentinel.agent.inbox import Item
from sentinel.agent.lookout import Lookout, Surroundings
from sentinel.agent.lookouts import hand_over
from sentinel.agent.reference import Reference
from sentinel.probes.run import run
from sentinel.promql.evaluate import evaluate_instant
from sentinel.promql.parser import parse
from sentinel.store.database import Database
from tests.agent.dying import Reaper, let_die
from tests.agent.test_crashes import QUICK
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {log: {path: app.log, metrics: {orders_total: order}}, every: 15s}
rules:
  many: {increase: {of: orders_total, over: 5m}, above: 100, severity: error}
notifiers: {people: {console: {}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on the quickest disk there is."""
    with TemporaryDirectory(dir=QUICK if QUICK.is_dir() else tmp_path) as name:
        yield Path(name)


class Service:
    """Writes into its log; the agent that looks at it has a desk that commits at once whatever it is given."""

    def __init__(self, folder: Path, fresh: Path) -> None:
        shutil.copytree(fresh, folder)
        self.path = folder / "app.log"
        self.path.touch()
        self.orders = 0
        self.agent = FastAgent(folder)
        self.agent.write(TREE.replace("app.log", str(self.path)))
        self.begin()

    def begin(self) -> None:
        """Start the agent."""
        desk = self.agent.start().desk
        with self.agent.database.read() as tx:
            memory = tx.memory.all().get("shop", {})
        clock = self.agent.clock
        around = Surroundings(clock, clock.now(), timedelta(), Reference((), clock), lambda *_: None)
        self.lookout = Lookout(self.agent.config.probes["shop"], around, memory)
        put = desk._inbox.put

        def put_and_turn(item: Item) -> None:
            put(item)
            desk.turn()
            clock.advance(timedelta(seconds=2))  # samples wait no longer for the commit of others
            desk.turn()

        desk._inbox.put = put_and_turn  # type: ignore[method-assign]

    async def look(self) -> None:
        """Look, and hand over what was seen."""
        self.agent.clock.advance(timedelta(seconds=11))
        async with self.lookout.probe.kind.ready() as measure:
            ended = await run(self.lookout.probe, measure, self.agent.clock.now(), self.lookout.memory)
        assert ended.success, ended.words
        self.lookout.memory = ended.memory
        hand_over(self.agent.desk, self.lookout, ended)

    def log(self, lines: int) -> None:
        """Write lines."""
        with self.path.open("a") as file:
            for _ in range(lines):
                self.orders += 1
                file.write(f"order {self.orders}\n")

    def rotate(self) -> None:
        """Rename; what has that name goes."""
        os.replace(self.path, f"{self.path}.1")
        self.path.touch()

    def counted(self) -> float:
        """Return what all samples say."""
        at_ms = int(self.agent.clock.now().timestamp() * 1000) + 1
        counted = parse("increase(orders_total[1h] anchored)")
        return float(evaluate_instant(counted, self.agent.history, at_ms).values[0, 0])


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an empty database."""
    folder = tmp_path_factory.mktemp("fresh")
    Database.open(f"sqlite:///{folder / 'sentinel.db'}").close()
    return folder


async def _tell(service: Service, reaper: Reaper, die_at: int | None) -> int:
    """Count twelve, write three, look and die, rotate twice, write one; return how many statements that look took."""
    await service.look()
    service.log(12)
    await service.look()
    service.log(3)
    reaper.arm(die_at)
    try:
        await service.look()
    except BaseException:
        if not reaper.dead:
            raise
        reaper.arm(None)
        service.agent.crash()
        service.begin()
    count = reaper.count
    reaper.arm(None)
    service.rotate()
    service.rotate()
    service.log(1)
    await service.look()
    return count


async def test_no_statement_is_a_bad_one_to_die_at(folder: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line counts once; those that were gone before a look at them was stored make no other count twice."""
    reaper = let_die(monkeypatch)
    whole = Service(folder / "whole", fresh)
    count = await _tell(whole, reaper, None)
    assert whole.counted() == 16
    whole.agent.database.close()
    for at in range(1, count + 1):
        service = Service(folder / str(at), fresh)
        await _tell(service, reaper, at)
        assert service.counted() in (13, 16), f"died at statement {at} of {count}"
        service.agent.database.close()
