"""Probes: entries under `probes:` become probes, with the times at which they look."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sentinel.config.build import Builder, Read
from sentinel.config.entries import LOOKING
from sentinel.config.read import locate
from sentinel.core.quantity import format_duration
from sentinel.core.sample import OWN_PROBE
from sentinel.core.schedule import Cron, Every
from sentinel.probes.heartbeat import HeartbeatKind
from sentinel.probes.probe import DEFAULT_EVERY, Probe, default_timeout

#: How often Sentinel's own numbers are appended.
OWN_EVERY = timedelta(seconds=15)


def build_probes(builder: Builder) -> dict[str, Probe]:
    """Return the probes by name; what is wrong is reported."""
    found = {}
    for name, entry in builder.gathered.of("probes").items():
        if name == OWN_PROBE:
            says = f'the name "{OWN_PROBE}" belongs to the agent\'s own numbers'
            builder.reader.findings.add("probe/name", entry.key, says, "choose another")
        elif (read := builder.read(entry)) and read.keys and (probe := _probe(builder, read)):
            found[name] = probe
    _report_twins(builder, found)
    return found


def _report_twins(builder: Builder, probes: Mapping[str, Probe]) -> None:
    """Report heartbeats that would take each other's calls."""
    seen: dict[str, Probe] = {}
    for probe in probes.values():
        if not isinstance(probe.kind, HeartbeatKind) or probe.kind.uuid is None:
            continue
        first = seen.setdefault(probe.kind.uuid.get_secret_value(), probe)
        if first is not probe:
            says = f"has the uuid of {first.name} ({first.position})"
            key = builder.gathered.of("probes")[probe.name].key
            builder.reader.findings.add("probe/invalid", key, says, "give each job its own")


def intervals(builder: Builder, probes: Mapping[str, Probe]) -> dict[str, timedelta]:
    """Return how often each probe looks; one that could not be read is still known by its name."""
    known = dict.fromkeys(builder.gathered.of("probes"), DEFAULT_EVERY) | {OWN_PROBE: OWN_EVERY}
    return known | {name: probe.interval for name, probe in probes.items()}


def _probe(builder: Builder, read: Read) -> Probe | None:
    if (fixed := read.kind.FIXED_EVERY) is not None:
        strange = [name for name in LOOKING if read.has(name)]
        for name in strange:
            says = f'"{name}" does not stand beside {read.word}'
            moved = f"put it under {read.word}:, where it says when the job is due"
            fix = moved if name in type(read.kind).model_fields else "drop it"
            builder.report(read, name, "probe/unknown-key", says, fix)
        return None if strange else _made(read, Every(fixed), default_timeout(fixed))
    every = _every(builder, read)
    if every is None:
        return None
    interval = every.interval if isinstance(every, Every) else every.longest_gap
    timeout = read.keys.timeout
    least = read.kind.least_timeout
    if timeout is None and least >= interval:
        says = f"every: {format_duration(interval)} is not longer than {read.word} may take ({format_duration(least)})"
        builder.report(read, "every", "probe/timeout", says, f"write {format_duration(2 * least)}, or give a timeout")
        return None
    if timeout is not None and timeout >= interval:
        says = f"timeout: {format_duration(timeout)} is not shorter than every ({format_duration(interval)})"
        fix = f"write {_rounded(default_timeout(interval))}, or leave it out"
        builder.report(read, "timeout", "probe/timeout", says, fix)
        return None
    return _made(read, every, timeout or max(default_timeout(interval), least))


def _made(read: Read, every: Every | Cron, timeout: timedelta) -> Probe:
    return Probe(
        read.entry.name,
        read.kind,
        read.word,
        every,
        timeout,
        dict(read.keys.labels),
        read.entry.key.position,
        read.keys.every_when_failing,
    )


def _every(builder: Builder, read: Read) -> Every | Cron | None:
    keys = read.keys
    if keys.every is not None and keys.cron is not None:
        builder.report(read, "cron", "probe/invalid", "every and cron are both here", "keep one")
        return None
    if keys.cron is None:
        if keys.timezone is not None:
            builder.report(read, "timezone", "probe/invalid", "timezone: belongs to cron", "drop it")
            return None
        return Every(keys.every or max(DEFAULT_EVERY, 2 * read.kind.least_timeout))
    try:
        cron: Cron = keys.cron.within(keys.timezone or builder.timezone(read.entry))
    except ValueError as exc:
        builder.reader.report(str(exc), locate(read.found, ("timezone",)), "probe")
        return None
    return cron


def _rounded(duration: timedelta) -> str:
    step = timedelta(seconds=1) if duration >= timedelta(seconds=1) else timedelta(milliseconds=1)
    return format_duration(duration // step * step)
