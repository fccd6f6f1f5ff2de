"""A lookout: one probe, looked at again and again in a task of its own, so that a hanging target delays nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from sentinel.agent.crowds import Crowds
from sentinel.agent.reference import NETWORK_REASONS, Reference
from sentinel.core.clock import Clock
from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure
from sentinel.probes.excuse import excuse
from sentinel.probes.probe import Probe
from sentinel.probes.run import Run, run

log = structlog.get_logger()

#: A look that begins so much later than it was due is counted as late.
LATE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every lookout of an agent shares.

    Args:
        clock: says when a look is.
        started_at: when the agent began; failures right after it may be excused.
        warmup: for how long.
        reference: knows whether the agent itself is blind.
        looked: takes each run; the desk gets its samples, the page its words.
        crowds: let a few looks at a time begin at one host.
    """

    clock: Clock
    started_at: datetime
    warmup: timedelta
    reference: Reference
    looked: Callable[[Probe, Run], None]
    crowds: Crowds = field(default_factory=Crowds)


class Lookout:
    """Looks when it is woken, and once at first; a wake that comes while it still looks is counted and dropped.

    Attributes:
        schedule: by which it is woken now.
        since: when it began.
        last: how the last look ended, without its samples; None before the first.
        memory: what the probe remembers between looks.
        stored: what of that is on disk.
        runs: looks that ended.
        skipped: wakes that came while it still looked.
        late: looks that began more than a second after they were due.
    """

    def __init__(self, probe: Probe, around: Surroundings, memory: Mapping[str, Any]) -> None:
        self.probe = probe
        self.schedule = probe.every
        self.since = around.clock.now()
        self.last: Run | None = None
        self.memory = self.stored = memory
        self.runs = self.skipped = self.late = 0
        self._around, self._host = around, probe.kind.host()
        self._due: datetime | None = None
        self._succeeded = False
        self._looking = False
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, *, at_once: bool = True) -> None:
        """Begin; `at_once` looks now and not only at the first wake."""
        if at_once:
            self._woken.set()
        self._task = asyncio.create_task(self._watch(), name=f"probe {self.probe.name}")

    def wake(self, due: datetime | None = None) -> None:
        """Look now, unless a look is going on; `due` is when it should have been."""
        if self._looking:
            self.skipped += 1
        else:
            self._due = due
            self._woken.set()

    def end(self) -> asyncio.Task[None] | None:
        """End the look that is going on, close what the probe holds open, and return the task that does so."""
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _watch(self) -> None:
        while True:
            await self._woken.wait()
            try:
                async with AsyncExitStack() as stack:
                    async with asyncio.timeout(self.probe.timeout.total_seconds()):
                        measure = await stack.enter_async_context(self.probe.kind.ready())
                    while True:
                        await self._look(measure)
                        await self._woken.wait()
            except ProbeFailed as exc:
                await self._look(_failing(exc))
            except Exception as exc:
                log.warning("a probe cannot be made ready", probe=self.probe.name, why=f"{type(exc).__name__}: {exc}")
                await self._look(_failing(ProbeFailed("error", f"{type(exc).__name__}: {exc}")))

    async def _look(self, measure: Measure) -> None:
        self._woken.clear()
        self._looking = True
        try:
            seat = await self._around.crowds.enter(self._host)
            try:
                now, due = self._around.clock.now(), self._due
                self.late += due is not None and now - due > LATE
                self._due = None
                ended = await self._run(measure, now)
            finally:
                seat.leave()
        finally:
            self._looking = False
        self.last = replace(ended, batch=replace(ended.batch, samples=()))
        self.runs += 1
        self._succeeded |= ended.success
        self.memory = ended.memory
        self._around.looked(self.probe, ended)

    async def _run(self, measure: Measure, now: datetime) -> Run:
        around = self._around

        def excused(*, blind: bool) -> str:
            return excuse(
                now=now,
                started_at=around.started_at,
                succeeded=self._succeeded,
                host=self._host,
                blind=blind,
                warmup=around.warmup,
            )

        ended = await run(self.probe, measure, now, self.memory, excuse=excused(blind=False))
        if ended.success or ended.excuse or ended.reason not in NETWORK_REASONS:
            return ended
        # Only a failure makes it worth asking whether we ourselves are cut off.
        if why := excused(blind=await around.reference.is_blind()):
            return replace(ended, batch=replace(ended.batch, samples=()), excuse=why, memory=self.memory)
        return ended


def _failing(failure: ProbeFailed) -> Callable[[Look], Awaitable[Sequence[Sample]]]:
    async def measure(_: Look) -> Sequence[Sample]:
        raise failure

    return measure
