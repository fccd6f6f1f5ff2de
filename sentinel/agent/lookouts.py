"""The lookouts: one for each probe that looks at a target, through reloads, until the agent stops."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import structlog

from sentinel.agent.lookout import Lookout, Surroundings
from sentinel.agent.timetable import Timetable
from sentinel.core.problem import Position
from sentinel.core.schedule import Cron, Every
from sentinel.probes.probe import Probe
from sentinel.probes.run import Run

if TYPE_CHECKING:
    from sentinel.agent.desk import Desk

log = structlog.get_logger()
_ANYWHERE = Position("")
_NONE: Mapping[str, str] = MappingProxyType({})


class Lookouts:
    """Starts, keeps and ends them as the configuration says; a probe that did not change notices nothing.

    Args:
        around: what they share.
        timetable: wakes them.
        memory: what each probe remembers from before the agent started.
    """

    def __init__(self, around: Surroundings, timetable: Timetable, memory: Mapping[str, Mapping[str, Any]]) -> None:
        self._around, self._timetable = around, timetable
        self._memory = dict(memory)
        self.by_name: dict[str, Lookout] = {}

    def follow(self, probes: Mapping[str, Probe], renamed: Mapping[str, str] = _NONE) -> None:
        """Look at these probes from now on; one that was renamed remembers what it did under its earlier name.

        Args:
            probes: by name.
            renamed: earlier name to present one.
        """
        wanted = {name: probe for name, probe in probes.items() if probe.kind_name != "heartbeat"}
        for name, lookout in list(self.by_name.items()):
            probe = wanted.get(name)
            if probe is not None and _same(probe, lookout.probe):
                lookout.probe = probe
            else:
                del self.by_name[name]
                self._timetable.remove(_id(name))
                self._memory[name] = lookout.memory
                lookout.end()
        moved = {name for was, name in renamed.items() if self._move(was, name)}
        for name, probe in wanted.items():
            if name not in self.by_name:
                self._begin(probe, stored=name not in moved)

    def looked(self, probe: Probe, *, success: bool) -> None:
        """Let a probe that fails be looked at more often, if it says so, and one that recovered as often as ever."""
        lookout = self.by_name.get(probe.name)
        if lookout is None or probe.every_when_failing is None:
            return
        schedule: Every | Cron = probe.every if success else Every(probe.every_when_failing)
        if schedule != lookout.schedule:
            lookout.schedule = schedule
            self._timetable.put(_id(probe.name), schedule, lookout.wake, name=probe.name)

    async def stop(self) -> None:
        """End all of them."""
        ended = [lookout.end() for lookout in self.by_name.values()]
        self.by_name.clear()
        await asyncio.gather(*(task for task in ended if task), return_exceptions=True)

    def _move(self, was: str, name: str) -> bool:
        """Let one probe remember what another one did that looks no more, unless it remembers something itself."""
        if was in self.by_name or was not in self._memory or name in self._memory or name in self.by_name:
            return False
        self._memory[name] = self._memory.pop(was)
        return True

    def _begin(self, probe: Probe, *, stored: bool) -> None:
        lookout = Lookout(probe, self._around, self._memory.pop(probe.name, {}))
        if not stored:
            lookout.stored = {}  # on disk it stands under the earlier name
        self.by_name[probe.name] = lookout
        self._timetable.put(_id(probe.name), probe.every, lookout.wake, name=probe.name)
        # A cron says when to look; a rate only says how often, so its first look need not wait.
        lookout.start(at_once=isinstance(probe.every, Every))


def hand_over(desk: Desk, lookout: Lookout, run: Run) -> None:
    """Give the desk what a look brought: first what the probe remembers, then what it saw.

    So no sample is ever on disk of which the probe knows nothing: after a crash the counters of a log, whose lines may
    be gone by then, would fall, and what they counted would count twice.
    """
    memory = run.memory
    if lookout.stored != memory:

        def wrote(_: None) -> None:
            lookout.stored = memory

        desk.write(lambda tx: tx.memory.put(run.batch.source, memory), wrote)
    desk.arrive(run.batch)


def _same(one: Probe, other: Probe) -> bool:
    """Say whether two definitions mean the same, wherever they stand."""
    return replace(one, position=_ANYWHERE) == replace(other, position=_ANYWHERE)


def _id(name: str) -> str:
    return f"probe/{name}"
