"""What a control group allows the container, and what it has used: v2's files and v1's (kernel.org, cgroup-v2)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

#: v1 writes "no limit" as the greatest multiple of a page that fits into 63 bits.
_UNLIMITED = 2**62


def limits(root: Path) -> Iterator[tuple[str, float]]:
    """Iterate over metrics by name; none where no control group limits anything.

    Args:
        root: where `sys` lies: / but in tests.
    """
    group = root / "sys/fs/cgroup"
    if (group / "memory.max").is_file() or (group / "cpu.max").is_file():
        yield from _second(group)
    elif (group / "memory").is_dir():
        yield from _first(group)


def _second(group: Path) -> Iterator[tuple[str, float]]:
    cached = _fields(group / "memory.stat").get("inactive_file", 0.0)
    yield from _memory(_number(group / "memory.max"), _number(group / "memory.current"), cached)
    quota, _, period = _text(group / "cpu.max").partition(" ")
    if quota.isdigit() and period.isdigit():
        yield "container_cpu_limit_cores", int(quota) / int(period)
    cpu = _fields(group / "cpu.stat")
    if "usage_usec" in cpu:
        yield "container_cpu_seconds_total", cpu["usage_usec"] / 1e6
    if "throttled_usec" in cpu:
        yield "container_cpu_throttled_seconds_total", cpu["throttled_usec"] / 1e6
    if "oom_kill" in (events := _fields(group / "memory.events")):
        yield "container_oom_kills_total", events["oom_kill"]


def _first(group: Path) -> Iterator[tuple[str, float]]:
    memory, cpu = group / "memory", group / "cpu"
    limit = _number(memory / "memory.limit_in_bytes")
    cached = _fields(memory / "memory.stat").get("total_inactive_file", 0.0)
    yield from _memory(
        None if limit is None or limit >= _UNLIMITED else limit, _number(memory / "memory.usage_in_bytes"), cached
    )
    quota, period = _number(cpu / "cpu.cfs_quota_us"), _number(cpu / "cpu.cfs_period_us")
    if quota and period and quota > 0:
        yield "container_cpu_limit_cores", quota / period
    if (used := _number(group / "cpuacct/cpuacct.usage")) is not None:
        yield "container_cpu_seconds_total", used / 1e9
    if "throttled_time" in (stat := _fields(cpu / "cpu.stat")):
        yield "container_cpu_throttled_seconds_total", stat["throttled_time"] / 1e9


def _memory(limit: float | None, current: float | None, cached: float) -> Iterator[tuple[str, float]]:
    if current is not None:
        yield "container_memory_used_bytes", max(0.0, current - cached)
        if limit:
            yield "container_memory_used_percent", 100 * max(0.0, current - cached) / limit
    if limit is not None:
        yield "container_memory_limit_bytes", limit


def _text(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:  # this kernel has no such file, or does not show it to us
        return ""


def _number(path: Path) -> float | None:
    text = _text(path)
    return float(text) if text.removeprefix("-").isdigit() else None


def _fields(path: Path) -> dict[str, float]:
    pairs = (line.partition(" ") for line in _text(path).splitlines())
    return {name: float(value) for name, _, value in pairs if value.isdigit()}
