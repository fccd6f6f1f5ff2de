"""Rules that look back beyond the head: a reader observes them, and the desk goes on meanwhile."""

from __future__ import annotations

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


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FastAgent]:
    """Return a house that has sold one a minute for more than two hours."""
    found = FastAgent(tmp_path)
    found.write(TREE)
    sold = iter(range(100_000))
    found.looks["shop"] = lambda _: {"sold_total": float(next(sold)), "queue_depth": 0.0}
    found.start().run(timedelta(hours=2, minutes=10))
    assert "sold-little" not in found.desk.state.failures
    yield found
    found.database.close()


def hold(agent: FastAgent) -> Held:
    """Start anew with readers that wait, until one has begun."""
    agent.readers = held = Held()
    agent.restart(away=MINUTE)
    agent.run(2 * MINUTE)
    assert len(held.waiting) == 1
    return held


def sell_nothing(agent: FastAgent) -> None:
    """Let the queue be long, too."""
    agent.looks["shop"] = lambda _: {"sold_total": 131.0, "queue_depth": 99.0}


def test_such_a_rule_is_decided_like_any_other(agent: FastAgent) -> None:
    """It sold 120 in two hours; then nothing."""
    sell_nothing(agent)
    assert agent.changes("sold-little") == []
    agent.run(timedelta(minutes=30))
    assert agent.changes("sold-little") == ["fired error"]


def test_the_desk_goes_on_while_a_reader_reads(agent: FastAgent) -> None:
    """One reading at a time; when it is done, its rule is decided."""
    sell_nothing(agent)
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
    sell_nothing(agent)
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
    sell_nothing(agent)
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
