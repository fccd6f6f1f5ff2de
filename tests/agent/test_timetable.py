"""When probes are woken, and how many look at one host together; on a loop whose time is pushed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import structlog.testing

from sentinel.agent.crowds import FRESH_SECONDS, SEATS, Crowds
from sentinel.agent.lookout import Lookout, Surroundings
from sentinel.agent.lookouts import Lookouts
from sentinel.agent.reference import Reference
from sentinel.agent.timetable import Timetable
from sentinel.core.clock import ManualClock
from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.core.schedule import Cron, Every
from sentinel.probes.base import Look, ProbeKind
from sentinel.probes.probe import Probe
from sentinel.probes.run import Run
from tests.agent.pushed import run_pushed


def woken(schedule: Every | Cron, begins: datetime, span: timedelta, name: str = "shop") -> list[datetime]:
    """Return the moments at which something of this schedule is woken."""
    clock, found = ManualClock(begins), list[datetime]()

    async def run() -> None:
        timetable = Timetable(clock)
        timetable.put(name, schedule, lambda _: found.append(clock.now()))
        timetable.start()
        await asyncio.sleep(span.total_seconds())
        timetable.stop()

    run_pushed(run(), clock)
    return found


def test_a_cron_keeps_the_hours_of_its_zone() -> None:
    """Half past two in Berlin, on the night on which there is none, and on the one on which there are two."""
    cron = Cron("30 2 * * *", "Europe/Berlin")
    spring = woken(cron, datetime(2026, 3, 28, tzinfo=UTC), timedelta(days=3))
    assert [f"{at:%d %H:%M}" for at in spring] == ["28 01:30", "29 01:00", "30 00:30"]
    autumn = woken(cron, datetime(2026, 10, 24, tzinfo=UTC), timedelta(days=3))
    assert [f"{at:%d %H:%M}" for at in autumn] == ["24 00:30", "25 00:30", "26 01:30"]


def test_a_rate_has_an_offset_of_its_name_that_a_restart_does_not_change() -> None:
    """So a hundred probes are spread over their interval, always alike."""
    begins, every = datetime(2026, 3, 1, tzinfo=UTC), Every(timedelta(seconds=10))
    names = [f"p{number}" for number in range(100)]
    first = [woken(every, begins, timedelta(seconds=21), name) for name in names]
    again = [woken(every, begins + timedelta(seconds=100.5), timedelta(seconds=21), name) for name in names]
    for one, other in zip(first, again, strict=True):
        assert abs((one[1] - one[0]).total_seconds() - 10) < 0.001
        assert abs(((other[0] - one[0]).total_seconds() + 5) % 10 - 5) < 0.002
    tenths = Counter(int(moments[0].timestamp()) % 10 for moments in first)
    assert len(tenths) == 10
    assert max(tenths.values()) < 25


def test_what_was_missed_is_made_up_for_once() -> None:
    """A loop that hung, or a machine that slept, is followed by one wake and not by a hundred."""
    clock, found = ManualClock(), list[datetime]()

    async def run() -> None:
        timetable = Timetable(clock)
        timetable.put("shop", Every(timedelta(seconds=10)), found.append)
        timetable.start()
        await asyncio.sleep(15)
        clock.advance(timedelta(minutes=10))
        await asyncio.sleep(10)
        timetable.stop()
        await asyncio.sleep(60)

    run_pushed(run(), clock)
    assert len(found) == 3
    assert found[1] - found[0] == timedelta(seconds=10), "the moment at which it was due is told"


def test_a_wake_that_fails_holds_up_no_other() -> None:
    """It is logged, and comes again."""
    clock, found = ManualClock(), list[datetime]()

    def fail(_: datetime) -> None:
        raise RuntimeError("ours")

    async def run() -> None:
        timetable = Timetable(clock)
        timetable.put("a", Every(timedelta(seconds=1)), fail)
        timetable.put("b", Every(timedelta(seconds=1)), found.append)
        timetable.start()
        await asyncio.sleep(3)
        timetable.stop()

    with structlog.testing.capture_logs() as logs:
        run_pushed(run(), clock)
    assert (len(found), [entry["what"] for entry in logs]) == (3, ["a", "a", "a"])


class Scripted(ProbeKind):
    """Takes so long, and succeeds at those of its looks that it says."""

    seconds: float = 0.0
    script: str = "+"
    at: str = ""

    async def measure(self, look: Look) -> Sequence[Sample]:
        """Do so."""
        await asyncio.sleep(self.seconds)
        number = look.memory["looks"] = look.memory.get("looks", -1) + 1
        if self.script[number % len(self.script)] == "-":
            raise ProbeFailed("connect", "as the script says")
        return []

    def host(self) -> str:
        """Return where it looks."""
        return self.at


def watched(span: float, *probes: Probe) -> tuple[list[tuple[float, str]], dict[str, Lookout]]:
    """Let these look for so many seconds; return when each look began, and who looked."""
    clock, began = ManualClock(), list[tuple[float, str]]()

    def looked(probe: Probe, run: Run) -> None:
        began.append(((run.batch.at - began_at).total_seconds(), probe.name))
        lookouts.looked(probe, success=run.success)

    began_at = clock.now()
    timetable = Timetable(clock)
    around = Surroundings(clock, began_at, timedelta(), Reference((), clock), looked)
    lookouts = Lookouts(around, timetable, {})

    async def run() -> dict[str, Lookout]:
        timetable.start()
        lookouts.follow({probe.name: probe for probe in probes})
        await asyncio.sleep(span)
        found = dict(lookouts.by_name)
        timetable.stop()
        await lookouts.stop()
        return found

    found = run_pushed(run(), clock)
    return sorted(began), found


def probe(name: str, every: float = 3600, failing: float | None = None, timeout: float = 5, **keys: object) -> Probe:
    """Return a probe."""
    more = None if failing is None else timedelta(seconds=failing)
    kind = Scripted.model_validate(keys)
    return Probe(
        name, kind, "scripted", Every(timedelta(seconds=every)), timedelta(seconds=timeout), every_when_failing=more
    )


def test_a_probe_that_fails_is_looked_at_more_often_until_it_succeeds() -> None:
    """Every 60 seconds, every 5 while it fails, and every 60 again."""
    looks, _ = watched(300, probe("shop", every=60, failing=5, script="++---+++++++++++++"))
    gaps = [round(later - sooner) for (sooner, _), (later, _) in pairwise(looks[1:])]
    assert gaps[0] == 60
    assert gaps[1] <= 5
    assert gaps[2:4] == [5, 5]
    assert 0 < gaps[4] <= 60
    assert set(gaps[5:]) == {60}


def test_few_look_at_one_host_together_and_others_do_not_wait() -> None:
    """At a start, forty probes of a host begin in turns, as looks end; one of another host begins at once."""
    many = [probe(f"p{number}", seconds=0.1, at="shop") for number in range(40)]
    looks, _ = watched(10, *many, probe("other", at="db"))
    by_turn = Counter(round(at, 1) for at, name in looks if name != "other")
    assert by_turn == {0.0: SEATS, 0.1: SEATS, 0.2: 40 - 2 * SEATS}
    assert [round(at, 3) for at, name in looks if name == "other"] == [0]


def test_what_hangs_keeps_its_seat_for_a_moment_only() -> None:
    """Thirty that hang to their timeout hold a healthy probe of the same host up for less than half a second."""
    hanging = [probe(f"h{number}", seconds=60, at="shop") for number in range(30)]
    looks, _ = watched(20, *hanging, probe("well", at="shop"))
    [began] = [at for at, name in looks if name == "well"]
    assert FRESH_SECONDS <= began < 2 * FRESH_SECONDS


async def test_a_look_that_is_cancelled_leaves_its_seat() -> None:
    """Whether it sits or waits."""
    crowds, sitting = Crowds(), asyncio.Event()

    async def sit() -> None:
        seat = await crowds.enter("shop")
        try:
            sitting.set()
            await asyncio.Event().wait()
        finally:
            seat.leave()

    tasks = [asyncio.create_task(sit()) for _ in range(2 * SEATS)]
    await sitting.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    async with asyncio.timeout(5):
        for _ in range(2 * SEATS):
            (await crowds.enter("shop")).leave()


@pytest.mark.parametrize(("hung", "late"), [(0.5, 0), (2.5, 1)])
def test_a_look_that_begins_late_is_counted(hung: float, late: int) -> None:
    """More than a second after it was due."""
    clock = ManualClock()
    around = Surroundings(clock, clock.now(), timedelta(), Reference((), clock), lambda *_: None)
    lookout = Lookout(probe("shop"), around, {})

    async def run() -> None:
        lookout.start(at_once=False)
        lookout.wake(clock.now() - timedelta(seconds=hung))
        await asyncio.sleep(1)
        ending = lookout.end()
        assert ending is not None
        await asyncio.gather(ending, return_exceptions=True)

    run_pushed(run(), clock)
    assert (lookout.runs, lookout.late) == (1, late)
