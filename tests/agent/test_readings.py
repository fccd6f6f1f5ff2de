"""Rules that look back beyond the head: a reader observes them, and the desk goes on meanwhile."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sentinel.core.errors import StoreUnavailable
from tests.e2e.fast import FastAgent

TREE = """
probes:
  shop: {scrape: "http://127.0.0.1:1/metrics", every: 1m}
rules:
  sold-little: {increase: {of: sold_total, over: 2h}, below: 100, severity: error}
  queue: {last: queue_depth, above: 10, severity: critical}
notifiers: {people: {console: {}}}
"""
MINUTE = timedelta(minutes=1)
#: So many were sold, one a minute.
SOLD = 130


@dataclass
class Held(Executor):
    """Runs nothing before it is released."""

    waiting: list[Callable[[], None]] = field(default_factory=list)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Keep it."""
        future: Future[Any] = Future()
        self.waiting.append(lambda: future.set_result(fn(*args, **kwargs)))
        return future

    def release(self) -> None:
        """Run what waits."""
        waiting, self.waiting = self.waiting, []
        for run in waiting:
            run()


class Failing(Executor):
    """The disk cannot be read."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Fail."""
        future: Future[Any] = Future()
        future.set_exception(StoreUnavailable("the disk fails"))
        return future


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a house that has sold one a minute for more than two hours."""
    found = FastAgent(tmp_path_factory.mktemp("sold"))
    found.write(TREE)
    counts = iter(range(SOLD))
    found.looks["shop"] = lambda _: {"sold_total": float(next(counts)), "queue_depth": 0.0}
    found.start().run(SOLD * MINUTE)
    assert "sold-little" not in found.desk.state.failures
    found.database.close()
    return found.folder


@pytest.fixture
def agent(sold: Path, tmp_path: Path) -> Iterator[FastAgent]:
    """Return that house, begun anew, in which nothing is sold any more."""
    found = FastAgent(shutil.copytree(sold, tmp_path / "house"))
    found.looks["shop"] = lambda _: {"sold_total": SOLD - 1.0, "queue_depth": 0.0}
    found.clock.advance(SOLD * MINUTE)
    yield found.start()
    found.database.close()


def hold(agent: FastAgent) -> Held:
    """Start anew with readers that wait, until one has begun."""
    agent.readers = held = Held()
    agent.restart(away=MINUTE)
    agent.run(2 * MINUTE)
    assert len(held.waiting) == 1
    return held


def fill_queue(agent: FastAgent) -> None:
    """Let the queue be long, too."""
    agent.looks["shop"] = lambda _: {"sold_total": SOLD - 1.0, "queue_depth": 99.0}


def test_such_a_rule_is_decided_like_any_other(agent: FastAgent) -> None:
    """It sold 120 in two hours; then nothing."""
    fill_queue(agent)
    assert agent.changes("sold-little") == []
    agent.run(timedelta(minutes=30))
    assert agent.changes("sold-little") == ["fired error"]


def test_the_desk_goes_on_while_a_reader_reads(agent: FastAgent) -> None:
    """One reading at a time; when it is done, its rule is decided."""
    fill_queue(agent)
    held = hold(agent)
    agent.run(timedelta(minutes=30))
    assert (agent.changes("queue"), agent.changes("sold-little"), len(held.waiting)) == (["fired critical"], [], 1)
    held.release()
    agent.run(MINUTE)
    held.release()
    agent.run(MINUTE)
    assert agent.changes("sold-little") == ["fired error"]


def test_what_was_read_for_a_rule_that_changed_counts_for_nothing(agent: FastAgent) -> None:
    """It is read again for the rule as it is now."""
    fill_queue(agent)
    held = hold(agent)
    agent.run(timedelta(minutes=30))
    held.release()
    agent.write(TREE.replace("below: 100", "below: 10"))
    agent.reload()
    agent.run(MINUTE)
    assert len(held.waiting) == 1
    held.release()
    agent.run(MINUTE)
    assert agent.changes("sold-little") == []


def test_a_reader_that_fails_fails_its_rule_alone(agent: FastAgent) -> None:
    """Until it does not."""
    agent.readers = Failing()
    agent.restart(away=MINUTE)
    fill_queue(agent)
    agent.run(2 * MINUTE)
    assert dict(agent.desk.state.failures) == {"sold-little": "StoreUnavailable: the disk fails"}
    assert agent.changes("queue") == ["fired critical"]


def test_what_was_read_before_the_machine_slept_is_read_again(agent: FastAgent) -> None:
    """It speaks of an instant long past."""
    held = hold(agent)
    stale = held.waiting[:]
    slept_from = agent.clock.now()
    agent.clock.advance(timedelta(hours=8))
    agent.desk.ask(lambda: agent.desk.was_away(slept_from))
    agent.desk.turn()
    agent.run(MINUTE)
    assert len(held.waiting) == 2
    stale[0]()
    agent.run(MINUTE)
    assert not agent.desk.readings.found
