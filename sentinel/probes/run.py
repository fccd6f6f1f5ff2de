"""One run of a probe: timeout, success, duration, reason of a failure, and the labels that its series get.

The agent and `sentinel probe` both run probes here. What must survive a restart (how often the probe failed in a row,
what its kind remembers) is a small JSON mapping that goes in and comes out: the store keeps it as probe memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sentinel.core.errors import ProbeFailed
from sentinel.core.heartbeat import Heartbeat
from sentinel.core.quantity import format_duration
from sentinel.core.sample import Batch, Sample
from sentinel.probes.base import Look, Measure, Verdict
from sentinel.probes.probe import Probe

#: How long a look that was cancelled may take to clean up before it is left to itself.
GRACE_SECONDS = 1.0

#: Reasons of a failure that something was answered.
_OF_ANSWERS = ("auth", "expect", "status", "tls")


@dataclass(frozen=True, slots=True)
class Run:
    """How one run ended.

    Args:
        batch: what is stored of it; without samples if the failure was excused.
        success: whether the target was as expected.
        reason: of a failure, one of `core.errors.REASONS`, else "".
        words: of a failure, for the person on call, else "".
        took_seconds: from begin to end.
        excuse: why the failure is shown and not counted, or "".
        memory: to be given to the next run, over restarts too; write it down when it differs from what went in.
        verdicts: on each expectation that was looked at.
    """

    batch: Batch
    success: bool
    reason: str
    words: str
    took_seconds: float
    excuse: str = ""
    memory: Mapping[str, Any] = field(default_factory=dict)
    verdicts: tuple[Verdict, ...] = ()

    @property
    def failures_in_a_row(self) -> int:
        """How many counted runs up to and with this one failed."""
        return int(self.memory.get("failures", 0))


async def run(
    probe: Probe,
    measure: Measure,
    now: datetime,
    memory: Mapping[str, Any] | None = None,
    *,
    excuse: str = "",
    heartbeat: Heartbeat | None = None,
) -> Run:
    """Look once, and never raise but when cancelled.

    Args:
        probe: its definition.
        measure: what `probe.kind.ready()` yielded.
        now: the time of the look.
        memory: `Run.memory` of the run before, {} for a first.
        excuse: why a failure would not count (`probes.excuse`), or "".
        heartbeat: what is remembered of the job, for the kind `heartbeat`.
    """
    was = dict(memory or {})
    look = Look(now, probe.timeout.total_seconds(), dict(was.get("kind", {})), heartbeat)
    began = time.perf_counter()
    try:
        found = await _within(probe, measure, look)
        samples = labelled(probe, [*look.found, *found])
        failure = None
    except ProbeFailed as exc:
        samples, failure = labelled(probe, look.found), exc
    took = time.perf_counter() - began
    ended = _ended(probe, was, look, failure, excuse)
    if failure and excuse:
        samples = []
    else:
        samples += labelled(probe, probe.kind.outcome(failure is None))
        samples += _verdict(probe, was, ended, failure, took)
    batch = Batch(
        source=probe.name,
        samples=tuple(samples),
        at=now,
        interval=probe.interval,
        whole=failure is None,
        counters_from_zero=probe.kind.COUNTERS_FROM_ZERO,
    )
    reason, words = (failure.reason, _words(failure, look.peer, took)) if failure else ("", "")
    return Run(batch, failure is None, reason, words, took, excuse if failure else "", ended, tuple(look.verdicts))


async def _within(probe: Probe, measure: Measure, look: Look) -> Sequence[Sample]:
    """Wait for the look, at most its timeout: a look that does not obey is left behind, and its result dropped."""
    task = asyncio.ensure_future(measure(look))
    try:
        done, _ = await asyncio.wait({task}, timeout=look.timeout_seconds)
        if not done:
            doing = look.doing  # before the cancelled look tidies up
            task.cancel()
            await asyncio.wait({task}, timeout=GRACE_SECONDS)
            words = f"no result within {format_duration(probe.timeout)}"
            raise ProbeFailed("timeout", f"{words}: {doing}" if doing else words)
        return task.result()
    except ProbeFailed:
        raise
    except Exception as exc:  # a bug of the kind, or what it did not foresee: the probe fails, the agent goes on
        raise ProbeFailed("error", f"{type(exc).__name__}: {exc}") from exc
    finally:
        if task.done():
            _dropped(task)
        else:
            task.add_done_callback(_dropped)
            task.cancel()


def _dropped(task: asyncio.Future[Sequence[Sample]]) -> None:
    """Take the exception of a look that nobody waits for any more, so that nothing complains of it."""
    if not task.cancelled():
        task.exception()


def _words(failure: ProbeFailed, peer: str, took: float) -> str:
    """Return what the person on call reads; of an answer that is not as expected also whose it was, and how late."""
    if failure.reason not in _OF_ANSWERS or not peer or peer in failure.words:
        return failure.words
    return f"{failure.words} ({peer}, after {took * 1000:.0f} ms)"


def _ended(
    probe: Probe, was: Mapping[str, Any], look: Look, failure: ProbeFailed | None, excuse: str
) -> dict[str, Any]:
    """Return what is remembered after this run."""
    failures = int(was.get("failures", 0))
    ended: dict[str, Any] = {}
    if failure is not None:
        ended["failures"] = failures if excuse else failures + 1
        ended["reason"] = was.get("reason", "") if excuse else failure.reason
    if look.memory:
        ended["kind"] = look.memory
    return {name: value for name, value in ended.items() if value}


def _verdict(
    probe: Probe, was: Mapping[str, Any], ended: Mapping[str, Any], failure: ProbeFailed | None, took: float
) -> list[Sample]:
    if not probe.kind.REPORTS_RUN:
        return []
    reason = failure.reason if failure else ""
    failures = int(ended.get("failures", 0))
    return verdict({**probe.labels, "probe": probe.name}, reason, was.get("reason", reason), failures, took)


def verdict(labels: Mapping[str, str], reason: str, before: str, failures: int, took: float) -> list[Sample]:
    """Return what every run yields, whatever its kind.

    Args:
        labels: of each sample.
        reason: why it failed, "" where it did not.
        before: why the run before failed.
        failures: how many failed in a row.
        took: seconds.
    """
    found = [
        Sample("probe_success", float(not reason), labels),
        Sample("probe_duration_seconds", took, labels),
        Sample("probe_consecutive_failures", float(failures), labels),
    ]
    if reason:
        found.append(Sample("probe_failure", 1.0, {**labels, "reason": reason}))
        if before not in ("", reason):
            # A failed run shows not all that the source has, so nothing else would end the series of the old reason.
            found.append(Sample("probe_failure", 0.0, {**labels, "reason": before}))
    return found


def labelled(probe: Probe, samples: Sequence[Sample]) -> list[Sample]:
    """Give samples the probe's labels; labels of their own of the same names become `exported_…`, as in Prometheus."""
    ours = {**probe.labels, **probe.kind.identity(probe.name)}
    return [
        Sample(sample.name, sample.value, _joined(sample.labels, ours), sample.time, sample.counter, sample.created)
        for sample in samples
    ]


def _joined(own: Mapping[str, str], ours: Mapping[str, str]) -> Mapping[str, str]:
    if not own:
        return ours
    joined = {**own, **ours}
    for name in own.keys() & ours.keys():
        exported = f"exported_{name}"
        while exported in joined:
            exported = f"exported_{exported}"
        joined[exported] = own[name]
    return joined
