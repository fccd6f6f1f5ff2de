"""`sentinel probe`: look once, now, and show everything that was seen."""

from __future__ import annotations

import asyncio
import json
import math
import os
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentinel.cli import WELL, WRONG, Misused
from sentinel.cli.output import Format, FormatOption, console, print_json

if TYPE_CHECKING:
    from sentinel.config.config import Config
    from sentinel.core.sample import Sample
    from sentinel.probes.probe import Probe
    from sentinel.probes.run import Run

#: The most samples that people are shown; programs get all.
_SHOWN = 60


def probe(
    name: Annotated[str, typer.Argument(help="Its name in the configuration.")],
    paths: Annotated[
        list[Path] | None, typer.Option("--config", help="A folder or file of the tree; may be given several times.")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Look once, now, and show each phase, each expectation and each sample; nothing is stored, nobody is told.

    Needs no agent: the tree is read as `check` reads it, and the look is the agent's, as if it were its first.
    Exit code 0: as expected; 1: the probe fails, or something is wrong in the tree.
    """
    from sentinel.config.load import load
    from sentinel.core.clock import SystemClock
    from sentinel.settings import load_settings

    settings, now = load_settings(config=tuple(paths) if paths else None), SystemClock().now()
    config = load(settings.paths, os.environ, now, agent=settings.name)
    ended = asyncio.run(_looked(_known(config, name), now))
    said = _as_dict(config.probes[name], ended)
    if output is Format.JSON:
        print_json(json.loads(config.secrets.redact(json.dumps(said, ensure_ascii=False))))
    else:
        for line in _as_text(said):
            console().print(config.secrets.redact(line), markup=False)
    raise typer.Exit(WELL if ended.success else WRONG)


def _known(config: Config, name: str) -> Probe:
    from sentinel.core.problem import near

    if (found := config.probes.get(name)) is None:
        hint = near(name, set(config.probes), "there are") if config.probes else "the tree has none"
        raise Misused(f'there is no probe "{name}"; {hint}')
    if found.kind.FIXED_EVERY is not None:
        raise Misused(
            f'"{name}" is a {found.kind_name}: the job calls, and nothing is looked at; see `sentinel status`'
        )
    return found


async def _looked(probe: Probe, now: datetime) -> Run:
    from sentinel.probes.run import run

    async with probe.kind.ready() as measure:
        return await run(probe, measure, now)


def _as_dict(probe: Probe, ended: Run) -> dict[str, Any]:
    return {
        "probe": probe.name,
        "kind": probe.kind_name,
        "success": ended.success,
        "reason": ended.reason,
        "words": ended.words,
        "took_seconds": ended.took_seconds,
        "phases": [
            {
                "phase": " ".join(filter(None, (sample.labels.get("step"), sample.labels["phase"]))),
                "seconds": sample.value,
            }
            for sample in _phases(ended.batch.samples)
        ],
        "expectations": [
            {"expected": verdict.expected, "met": not verdict.words, "words": verdict.words}
            for verdict in ended.verdicts
        ],
        "samples": [_sample(sample) for sample in ended.batch.samples],
    }


def _phases(samples: Sequence[Sample]) -> list[Sample]:
    """Return the phases in the order in which they come; a kind may know only at its end what connecting took."""
    found = [sample for sample in samples if "phase" in sample.labels and sample.name.endswith("_duration_seconds")]
    steps = list(dict.fromkeys(sample.labels.get("step") for sample in found))
    first = ("resolve", "connect", "tls")
    return sorted(
        found,
        key=lambda sample: (
            steps.index(sample.labels.get("step")),
            first.index(sample.labels["phase"]) if sample.labels["phase"] in first else len(first),
        ),
    )


def _sample(sample: Sample) -> dict[str, Any]:
    value = sample.value if math.isfinite(sample.value) else str(sample.value)
    return {"name": sample.name, "labels": dict(sample.labels), "value": value}


def _as_text(said: dict[str, Any]) -> Iterator[str]:
    how = "well" if said["success"] else f"fails ({said['reason']})"
    words = f": {said['words']}" if said["words"] else ""
    yield f"{said['probe']}: {said['kind']}, {how} after {said['took_seconds'] * 1000:.0f} ms{words}"
    if said["phases"]:
        yield "\nPhases"
        yield from (f"  {one['seconds'] * 1000:9.2f} ms  {one['phase']}" for one in said["phases"])
    if said["expectations"]:
        yield "\nExpectations"
        for one in said["expectations"]:
            yield f"  ✓ {one['expected']}" if one["met"] else f"  ✗ {one['expected']}: {one['words']}"
    yield "\nSamples"
    for one in said["samples"][:_SHOWN]:
        labels = ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in one["labels"].items())
        value = one["value"] if isinstance(one["value"], str) else f"{one['value']:.15g}"
        yield f"  {one['name']}{{{labels}}} {value}"
    if (more := len(said["samples"]) - _SHOWN) > 0:
        yield f"  … and {more:,} more; --format json shows all"
