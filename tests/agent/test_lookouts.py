"""Lookouts: what is looked at, how often, and what a reload does to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from types import MappingProxyType
from typing import ClassVar

from sentinel.agent.lookout import Surroundings
from sentinel.agent.lookouts import Lookouts
from sentinel.agent.reference import Reference
from sentinel.agent.timetable import Timetable
from sentinel.core.clock import ManualClock
from sentinel.core.errors import ProbeFailed
from sentinel.core.problem import Position
from sentinel.core.sample import Sample
from sentinel.core.schedule import Every
from sentinel.probes.base import Look, Measure, ProbeKind
from sentinel.probes.probe import Probe
from sentinel.probes.run import Run
from sentinel.probes.threads import in_thread
from tests.e2e.process import free_port


class Scripted(ProbeKind):
    """A probe that does what its key says, and counts how often it was made ready."""

    READY: ClassVar[list[str]] = []
    RELEASE: ClassVar[threading.Event] = threading.Event()

    does: str = "well"
    at: str = ""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Count, then yield the looking."""
        self.READY.append(self.does)
        yield self._look

    async def _look(self, _: Look) -> Sequence[Sample]:
        if self.does == "hang":
            await asyncio.Event().wait()
        if self.does == "block":
            await in_thread(partial(self.RELEASE.wait, 30), "blocking")
        if self.does == "fail":
            raise ProbeFailed("connect", "nobody there")
        return [Sample("found", 1.0)]

    def host(self) -> str:
        """Return where it looks."""
        return self.at


def probe(name: str, does: str = "well", at: str = "", failing: timedelta | None = None, line: int = 1) -> Probe:
    """Return a probe."""
    kind = Scripted(does=does, at=at)
    every = Every(timedelta(hours=1))
    return Probe(name, kind, "scripted", every, timedelta(seconds=0.2), {}, Position("x.yaml", line), failing)


class Post:
    """Lookouts with a clock of their own, and the runs that they brought."""

    def __init__(
        self,
        reference: Sequence[str] = (),
        warmup: timedelta = timedelta(),
        memory: Mapping[str, Mapping[str, int]] = MappingProxyType({}),
    ) -> None:
        self.runs: list[tuple[str, Run]] = []
        self.arrived = asyncio.Event()
        clock = ManualClock()
        around = Surroundings(clock, clock.now(), warmup, Reference(reference, clock), self._looked)
        self.lookouts = Lookouts(around, Timetable(clock), memory)

    def _looked(self, one: Probe, run: Run) -> None:
        self.runs.append((one.name, run))
        self.lookouts.looked(one, success=run.success)
        self.arrived.set()

    async def count(self, count: int) -> None:
        """Wait for so many runs."""
        while len(self.runs) < count:
            await asyncio.wait_for(self.arrived.wait(), 10)
            self.arrived.clear()


async def test_a_hanging_probe_delays_nobody() -> None:
    """The others look while it hangs; it fails at its timeout."""
    post = Post()
    post.lookouts.follow({one.name: one for one in (probe("a", "hang"), probe("b"), probe("c"))})
    await post.count(3)
    assert [name for name, _ in post.runs] == ["b", "c", "a"]
    assert post.runs[2][1].reason == "timeout"
    await post.lookouts.stop()


async def test_calls_that_block_for_ever_are_left_and_take_no_thread_of_others() -> None:
    """Each has a thread of its own, whatever hangs: a database, a file system, a name server; the others look on."""
    post = Post()
    blocking = [probe(f"b{number}", "block", f"host-{number}") for number in range(40)]
    post.lookouts.follow({one.name: one for one in (*blocking, probe("well"))})
    await post.count(41)
    assert post.runs[0][0] == "well"
    assert {run.reason for _, run in post.runs[1:]} == {"timeout"}
    async with asyncio.timeout(5):
        assert await asyncio.to_thread(lambda: "the loop's own pool is free") != ""
    Scripted.RELEASE.set()
    await post.lookouts.stop()


async def test_a_wake_while_it_looks_is_counted_and_dropped() -> None:
    """A probe never overlaps itself."""
    post = Post()
    post.lookouts.follow({"a": probe("a", "hang")})
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    lookout = post.lookouts.by_name["a"]
    lookout.wake()
    await post.count(1)
    assert (lookout.skipped, len(post.runs)) == (1, 1)
    await post.lookouts.stop()


async def test_a_probe_that_only_moved_in_its_file_notices_nothing() -> None:
    """It keeps what it holds open; one that changed is made ready anew."""
    Scripted.READY.clear()
    post = Post()
    post.lookouts.follow({"a": probe("a")})
    await post.count(1)
    post.lookouts.follow({"a": probe("a", line=7)})
    assert post.lookouts.by_name["a"].probe.position.line == 7
    post.lookouts.follow({"a": probe("a", "fail")})
    await post.count(2)
    assert Scripted.READY == ["well", "fail"]
    post.lookouts.follow({})
    assert post.lookouts.by_name == {}


async def test_a_probe_that_is_renamed_remembers_and_one_of_another_name_does_not() -> None:
    """At a reload and at a start; what it remembers is to be written under its new name, and is never taken twice."""
    post = Post(memory={"log": {"place": 7}, "both": {"place": 1}, "new": {"place": 2}})
    one, again = post.lookouts, {"log": "lines", "both": "new"}
    one.follow({name: probe(name) for name in ("lines", "new", "other")}, again)
    assert {name: lookout.memory for name, lookout in one.by_name.items()} == {
        "lines": {"place": 7},
        "new": {"place": 2},
        "other": {},
    }
    assert one.by_name["lines"].stored == {}
    one.by_name["lines"].memory = {"place": 8}
    one.follow({"rows": probe("rows")}, {"lines": "rows"})
    assert one.by_name["rows"].memory == {"place": 8}
    await one.stop()


async def test_a_failing_probe_is_looked_at_more_often_if_it_says_so() -> None:
    """Until it succeeds."""
    post = Post()
    post.lookouts.follow({"a": probe("a", "fail", failing=timedelta(seconds=7))})
    await post.count(1)
    assert post.lookouts.by_name["a"].schedule == Every(timedelta(seconds=7))
    await post.lookouts.stop()


async def test_in_warm_up_a_failure_is_shown_and_not_counted() -> None:
    """It has its reason, and no samples."""
    post = Post(warmup=timedelta(minutes=1))
    post.lookouts.follow({"a": probe("a", "fail")})
    await post.count(1)
    [(_, run)] = post.runs
    assert (run.excuse, run.reason, run.batch.samples) == ("warming up", "connect", ())
    await post.lookouts.stop()


async def test_blind_is_who_reaches_no_reference_either_and_loopback_is_never_excused() -> None:
    """DESIGN: "Blind by network is only an agent that cannot reach `SENTINEL_REFERENCE` … either; loopback …"."""
    post = Post(reference=[f"127.0.0.1:{free_port()}"])
    away, here = probe("away", "fail", "shop.example.com"), probe("here", "fail", "127.0.0.1")
    post.lookouts.follow({"away": away, "here": here})
    await post.count(2)
    runs = dict(post.runs)
    assert (runs["away"].excuse, runs["away"].batch.samples) == ("the agent is blind", ())
    assert runs["here"].excuse == ""
    assert runs["here"].batch.samples
    await post.lookouts.stop()
