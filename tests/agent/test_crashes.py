"""The desk dies at every statement that it ever sends; reopened, it owes what it owed, and nobody hears a thing twice.

Enumerated, not rolled: a scenario runs once to count its statements, and once more for each of them, to die there.
Each sixty-fourth statement in every run of the tests, all of them with `-m 'chaos or not chaos'`.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import shutil
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
import structlog
import structlog.testing

from sentinel.agent.operators import Asked, Operators, named
from sentinel.core.alert import Phase
from sentinel.core.errors import GiveUp
from sentinel.core.operator import Silence
from sentinel.delivery.deadletters import retry_all
from sentinel.delivery.lease import reclaim
from sentinel.store.database import Database, Transaction
from tests.agent.dying import Reaper, let_die
from tests.e2e.fast import FastAgent

T = TypeVar("T")

BEFORE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}
  nightly: {heartbeat: {every: 1h}}
rules:
  queue:
    last: queue_depth
    above: {warning: 10, critical: 50}
    for: {warning: 20s}
  backlog: {last: backlog_depth, above: 1, severity: critical}
  hushed: {last: other_depth, above: 1, severity: warning}
  paged: {last: other_depth, above: 1, severity: error}
  bulk-1: {last: other_depth, above: 1, severity: info}
  bulk-2: {last: other_depth, above: 1, severity: info}
notifiers:
  people: {console: {}}
  pager: {console: {}}
  crowd: {console: {}, rate_limit: 1/s}
routes:
  bulk: {match: {severity: info}, notify: [crowd], group_wait: 5s}
  paged: {match: {severity: error}, notify: [pager], group_wait: 5s}
  all: {notify: [people], group_wait: 5s}
"""
AFTER = BEFORE.replace("  backlog: {last: backlog_depth, above: 1, severity: critical}\n", "")
SHARDS = 64

#: Nothing is proved by waiting for a disk: what is written is the same in memory.
QUICK = Path("/dev/shm")


DEPTHS = ("queue_depth", "backlog_depth", "other_depth")
ANN = Asked("ann", "deploy")


@dataclass
class Story:
    """What happens to the agent; each step may be told again from its beginning after a crash within it."""

    agent: FastAgent
    metrics: dict[str, float] = field(default_factory=lambda: dict.fromkeys(DEPTHS, 0.0))
    acknowledged: int = 0

    def begin(self) -> None:
        """Let the probe look, and the agent start."""
        self.agent.looks["shop"] = lambda _: dict(self.metrics)
        self.agent.start()

    @property
    def steps(self) -> list[Callable[[], object]]:
        """Everything that happens, in order."""
        return [
            lambda: self._metric("queue_depth", 20.0, 16),  # pending
            lambda: self.agent.run(timedelta(seconds=32)),  # fires, and is told after its group has waited
            self._ping,
            lambda: self._metric("queue_depth", 60.0, 16),  # rises, and is told at once
            lambda: self._metric("backlog_depth", 2.0, 22),
            lambda: self._reload(AFTER),  # its rule is gone: resolved
            self.agent.restart,
            self._silence,
            self._others,  # one is silenced, one refused for good, two are told in a digest
            self._end_silence,  # now the silenced one is told
            lambda: self._operate(lambda all_: all_.acknowledge(partial(named, "hushed"), ANN, self._later)),
            lambda: self._operate(lambda all_: all_.unacknowledge(partial(named, "hushed"), ANN)),
            self._retry,
            lambda: self._write(lambda tx: tx.audit.prune(1, self.agent.clock.now(), "ann")),
            self._all_over,
            self._ping,
        ]

    @property
    def _later(self) -> datetime:
        return self.agent.clock.now() + timedelta(hours=8)

    def _silence(self) -> None:
        now = self.agent.clock.now()
        one = Silence("s1", {"rule": "hushed"}, "ann", "deploy", now, self._later)
        self._operate(lambda operators: operators.silence(one, "cli"))

    def _others(self) -> None:
        self.agent.refusals["pager"] = GiveUp("no such pager")
        self._metric("other_depth", 2.0, 32)

    def _end_silence(self) -> None:
        self._operate(lambda operators: operators.end_silence("s1", ANN))
        self.agent.run(timedelta(seconds=16))

    def _retry(self) -> None:
        self.agent.refusals.clear()
        self._write(lambda tx: retry_all(tx, "pager", "ann", self.agent.clock.now()), self.agent.desk.settled)
        self.agent.run(timedelta(seconds=16))

    def _all_over(self) -> None:
        self.metrics |= dict.fromkeys(DEPTHS, 0.0)
        self.agent.run(timedelta(seconds=66))

    def _operate(self, ask: Callable[[Operators], Awaitable[object]]) -> None:
        """Do what a person asks for; it may be done already, before the crash."""
        agent = self.agent

        async def read(look: Callable[[], int]) -> int:
            return look()

        async def both() -> None:
            asked = asyncio.ensure_future(ask(Operators(agent.desk, agent.database, agent.clock, read)))
            while not asked.done():
                agent.desk.turn()
                await asyncio.sleep(0)
            with contextlib.suppress(LookupError):
                asked.result()

        asyncio.run(both())

    def _write(self, work: Callable[[Transaction], T], then: Callable[[T], None] = lambda _: None) -> None:
        """Write something; it may be written already, before the crash."""
        done = self.agent.desk.write(work, then)
        self.agent.desk.turn()
        with contextlib.suppress(LookupError):
            done.result(0)

    def _metric(self, name: str, value: float, seconds: float) -> None:
        self.metrics[name] = value
        self.agent.run(timedelta(seconds=seconds))

    def _ping(self) -> None:
        self.agent.ping("nightly")
        self.acknowledged += 1

    def _reload(self, text: str) -> None:
        self.agent.write(text)
        self.agent.reload()


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Log nothing: the story is told some hundred times."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on the quickest disk there is."""
    if not QUICK.is_dir():
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=QUICK) as name:
        yield Path(name)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an empty database, made once: its tables are not what dies here."""
    folder = tmp_path_factory.mktemp("fresh")
    Database.open(f"sqlite:///{folder / 'sentinel.db'}").close()
    return folder


def tell(folder: Path, fresh: Path, reaper: Reaper, die_at: int | None) -> tuple[Story, int]:
    """Tell the story, dying once at a statement; return it, and how many statements it took."""
    shutil.copytree(fresh, folder, dirs_exist_ok=True)
    story = Story(FastAgent(folder))
    story.agent.write(BEFORE)
    reaper.arm(die_at)
    for step in (story.begin, *story.steps):
        try:
            step()
        except BaseException:  # libraries wrap what they meet while they clean up; dead is dead
            if not reaper.dead:
                raise
            reaper.arm(None)
            reopen(story)
            if step != story.begin:
                step()
    count = reaper.count
    reaper.arm(None)
    return story, count


def reopen(story: Story) -> None:
    """Start again on what is on disk, and look whether it is whole."""
    agent = story.agent
    if hasattr(agent, "database"):
        agent.database.close()
    gc.collect()  # a start that died halfway holds its database, as a dead process would not
    agent.looks["shop"] = lambda _: dict(story.metrics)
    agent.start()
    with agent.database.read() as tx:
        rows = (*tx.notifications.open(), *tx.notifications.dead())
        owed = {fingerprint for row in rows for fingerprint in row.alerts}
        heard = {told.fingerprint for told in tx.told.all()}
        for alert in tx.alerts.all():
            told = alert.fingerprint in owed | heard or alert.rule == "hushed"
            assert told or alert.phase is not Phase.FIRING, f"{alert.rule} fires and nobody is owed word of it"
        [job] = tx.heartbeats.all()
        assert job.successes >= story.acknowledged, "a ping that was acknowledged is gone"
        assert not list(tx.audit.verify())
    agent.desk.write(lambda tx: reclaim(tx, agent.clock.now()), agent.desk.settled)
    agent.desk.turn()


def told_once(story: Story) -> Counter[str]:
    """Return what people heard, each key once: a receiver that knows keys takes a message once."""
    by_key = {message.key: message for message in story.agent.heard}
    return Counter(
        f"{message.reason} {' '.join(sorted({alert.rule for alert in message.facts.news}))}"
        for message in by_key.values()
        if not message.quiet
    )


EXPECTED = Counter(
    [
        *("firing queue", "rose queue", "resolved queue"),
        *("firing backlog", "resolved backlog"),
        *("firing hushed", "resolved hushed"),
        *("firing paged", "resolved paged"),
        *("digest bulk-1 bulk-2", "digest bulk-1 bulk-2"),
    ]
)


def test_the_story_is_told_whole_where_nobody_dies(folder: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eleven messages, each once; every change of the alert in its order."""
    story, _ = tell(folder, fresh, let_die(monkeypatch), None)
    assert told_once(story) == EXPECTED
    assert story.agent.changes("queue") == ["pending", "fired warning", "rose critical", "resolved critical"]
    story.agent.database.close()


@pytest.mark.timeout(240)
@pytest.mark.parametrize("shard", [0, *(pytest.param(shard, marks=pytest.mark.chaos) for shard in range(1, SHARDS))])
def test_no_statement_is_a_bad_one_to_die_at(
    shard: int, folder: Path, fresh: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No transition without its debt, nothing told twice, no pending timer lost, no acknowledged ping lost."""
    reaper = let_die(monkeypatch)
    story, count = tell(folder / "whole", fresh, reaper, None)
    story.agent.database.close()
    assert count > 100
    for die_at in range(1 + shard, count + 1, SHARDS):
        place = folder / str(die_at)
        story, _ = tell(place, fresh, reaper, die_at)
        assert told_once(story) == EXPECTED, f"died at statement {die_at}"
        changes = story.agent.changes("queue")
        assert changes == ["pending", "fired warning", "rose critical", "resolved critical"], f"died at {die_at}"
        story.agent.database.close()
        shutil.rmtree(place)
