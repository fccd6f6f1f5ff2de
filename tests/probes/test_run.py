"""One run of a probe: what it yields when the look succeeds, fails, hangs, breaks."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.core.schedule import Cron, Every
from sentinel.probes.base import Look, ProbeKind
from sentinel.probes.excuse import excuse
from sentinel.probes.probe import default_timeout
from sentinel.probes.run import Run, run
from tests.probes.looking import NOW, probe_of, value


class Scripted(ProbeKind):
    """Does what its script says."""

    script: str

    async def measure(self, look: Look) -> Sequence[Sample]:
        look.keep("kept", 1)
        look.doing = "waiting for the script"
        match self.script:
            case "ok":
                look.memory["looks"] = look.memory.get("looks", 0) + 1
                return [Sample("depth", 3, {"probe": "theirs", "queue": "a"}), Sample("looks", look.memory["looks"])]
            case "hang":
                await asyncio.Event().wait()
            case "deaf":
                for _ in range(2):
                    with suppress(asyncio.CancelledError):
                        await asyncio.Event().wait()
                await asyncio.Event().wait()
            case "bug":
                raise RuntimeError("unforeseen")
        raise ProbeFailed(self.script, "as the script says")


async def after(*scripts: str, excused: str = "") -> Run:
    """Run these scripts one after the other, and return the last run."""
    ended: Run | None = None
    for script in scripts:
        kind = Scripted(script=script)
        probe = probe_of(kind, timeout=0.05, env="test")
        ended = await run(probe, kind.measure, NOW, ended.memory if ended else None, excuse=excused)
    assert ended is not None
    return ended


async def test_a_good_run_has_our_labels_and_keeps_theirs_as_exported() -> None:
    """Samples carry the probe's name and labels; their own of the same name step aside, as in Prometheus."""
    ended = await after("ok")
    depth = next(sample for sample in ended.batch.samples if sample.name == "depth")
    assert dict(depth.labels) == {"probe": "shop", "exported_probe": "theirs", "queue": "a", "env": "test"}
    assert (ended.success, ended.batch.whole, ended.batch.interval) == (True, True, timedelta(seconds=15))
    assert value(ended, "probe_consecutive_failures", probe="shop", env="test") == 0
    assert not [sample for sample in ended.batch.samples if sample.name == "probe_failure"]


@pytest.mark.parametrize(
    ("script", "reason", "words"),
    [
        ("dns", "dns", "as the script says"),
        ("hang", "timeout", "no result within 50ms: waiting for the script"),
        ("deaf", "timeout", "no result within 50ms: waiting for the script"),
        ("bug", "error", "RuntimeError: unforeseen"),
    ],
)
async def test_a_bad_run_has_reason_words_and_what_was_found(script: str, reason: str, words: str) -> None:
    """Whatever happens, a run ends as data, near its timeout."""
    ended = await after(script)
    assert (ended.success, ended.reason, ended.words) == (False, reason, words)
    assert value(ended, "probe_success") == 0
    assert value(ended, "probe_failure", reason=reason) == 1
    assert value(ended, "kept") == 1
    assert not ended.batch.whole


async def test_failures_are_counted_over_runs_and_restarts() -> None:
    """What is remembered between runs is a JSON mapping, so a restart changes nothing."""
    third = await after("dns", "dns", "connect")
    assert third.failures_in_a_row == 3
    assert value(third, "probe_consecutive_failures") == 3
    recovered = await after("dns", "ok")
    assert recovered.failures_in_a_row == 0
    assert recovered.memory == {"kind": {"looks": 1}}


async def test_a_failure_of_a_new_reason_ends_the_old_one() -> None:
    """Two reasons are never both 1."""
    ended = await after("dns", "connect")
    assert value(ended, "probe_failure", reason="connect") == 1
    assert value(ended, "probe_failure", reason="dns") == 0


async def test_what_a_kind_remembers_comes_back() -> None:
    """`look.memory` is the kind's own."""
    assert value(await after("ok", "dns", "ok"), "looks") == 2


async def test_an_excused_failure_is_shown_and_not_counted() -> None:
    """A sidecar that starts before its service wakes nobody."""
    ended = await after("connect", excused="warming up")
    assert (ended.success, ended.reason, ended.excuse) == (False, "connect", "warming up")
    assert ended.batch.samples == ()
    assert ended.memory == {}
    assert (await after("ok", excused="warming up")).excuse == ""


async def test_a_run_that_is_cancelled_cancels_its_look() -> None:
    """When the agent stops, no look is left behind."""
    kind = Scripted(script="hang")
    looking = asyncio.ensure_future(run(probe_of(kind, timeout=60), kind.measure, NOW))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    looking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await looking
    await asyncio.sleep(0)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_run_that_is_cancelled_as_its_look_fails_leaves_no_complaint() -> None:
    """The failure that nobody hears of any more is no mistake of ours, and is not logged as one."""
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, complaint: complaints.append(complaint))
    kind = Scripted(script="dns")
    looking = asyncio.ensure_future(run(probe_of(kind), kind.measure, NOW))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    looking.cancel()
    with suppress(asyncio.CancelledError):
        await looking
    del looking
    await asyncio.sleep(0)
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize(
    ("seconds", "succeeded", "host", "blind", "expected"),
    [
        (10, False, "shop", False, "warming up"),
        (10, True, "shop", False, ""),
        (60, False, "shop", False, ""),
        (600, True, "shop", True, "the agent is blind"),
        (600, True, "127.0.0.1", True, ""),
        (600, True, "localhost", True, ""),
        (600, True, "::1", True, ""),
        (600, True, "", True, ""),
    ],
)
def test_when_a_failure_is_excused(seconds: int, succeeded: bool, host: str, blind: bool, expected: str) -> None:
    """Warm-up is for who has not yet succeeded, blindness for who is not on this machine."""
    now = NOW + timedelta(seconds=seconds)
    assert excuse(now=now, started_at=NOW, succeeded=succeeded, host=host, blind=blind) == expected


def test_a_timeout_that_is_not_given_is_shorter_than_the_interval() -> None:
    """10 s, or two thirds of the interval."""
    assert default_timeout(timedelta(seconds=30)) == timedelta(seconds=10)
    assert default_timeout(timedelta(seconds=3)) == timedelta(seconds=2)


def test_the_interval_of_a_cron_is_its_longest_gap() -> None:
    """A newest value counts over the weekend of a probe of weekdays."""
    kind = Scripted(script="ok")
    probe = probe_of(kind)
    assert probe.interval == timedelta(seconds=15)
    assert isinstance(probe.every, Every)
    weekdays = type(probe)("shop", kind, "scripted", Cron("0 9 * * mon-fri"), timedelta(seconds=5))
    assert weekdays.interval == timedelta(days=3)
