"""Running a probe as the agent does, in one line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sentinel.core.schedule import Every
from sentinel.probes.base import ProbeKind
from sentinel.probes.probe import Probe
from sentinel.probes.run import Run, run

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def probe_of(kind: ProbeKind, word: str = "http", *, timeout: float = 5.0, **labels: str) -> Probe:
    """Return a probe called `shop`, which looks each 15 seconds."""
    return Probe("shop", kind, word, Every(timedelta(seconds=15)), timedelta(seconds=timeout), labels)


async def look(kind: ProbeKind, *, timeout: float = 5.0, **labels: str) -> Run:
    """Look once."""
    async with kind.ready() as measure:
        return await run(probe_of(kind, timeout=timeout, **labels), measure, NOW)


def value(ended: Run, name: str, **labels: str) -> float:
    """Return the one sample of this name and these labels."""
    found = [
        sample.value
        for sample in ended.batch.samples
        if sample.name == name and labels.items() <= dict(sample.labels).items()
    ]
    assert len(found) == 1, f"{name}{labels}: {len(found)} samples in {[s.name for s in ended.batch.samples]}"
    return found[0]
