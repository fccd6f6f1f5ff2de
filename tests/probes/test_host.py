"""The kind `host` on this machine, and control groups as kernels write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sentinel.probes.cgroup import limits
from sentinel.probes.host import Host
from sentinel.probes.run import run
from tests.probes.looking import NOW, look, probe_of, value


async def test_this_machine_has_numbers() -> None:
    """Each within its bounds; the processor's from the second look on, also over a restart."""
    memory: dict[str, Any] = {}
    kind = Host(disks=("/", "/tmp"))
    for count in range(2):
        async with kind.ready() as measure:
            ended = await run(probe_of(kind), measure, NOW, memory)
        memory = dict(ended.memory)
        # Make sure that at least a tick of the processors' clocks (10 ms) has passed.
        memory["kind"]["cpu"] = [figure - 0.1 * index for index, figure in enumerate(memory["kind"]["cpu"])]
        assert ended.success, ended.words
        assert (count > 0) == any(sample.name == "host_cpu_percent" for sample in ended.batch.samples)
    assert 0 <= value(ended, "host_cpu_percent") <= 100
    assert 0 < value(ended, "host_memory_used_percent") < 100
    assert value(ended, "host_memory_available_bytes") < value(ended, "host_memory_total_bytes")
    assert value(ended, "host_cpus") >= 1
    for disk in ("/", "/tmp"):
        assert 0 <= value(ended, "host_disk_used_percent", disk=disk) <= 100
        assert value(ended, "host_disk_available_bytes", disk=disk) <= value(ended, "host_disk_total_bytes", disk=disk)


async def test_loopback_is_looked_at_only_when_it_is_named() -> None:
    """And an interface that is not there is told, with those that are."""
    named = await look(Host(networks=("lo",)))
    assert value(named, "host_network_receive_bytes_total", interface="lo") >= 0
    assert not any(sample.labels.get("interface") == "lo" for sample in (await look(Host())).batch.samples)
    missing = await look(Host(networks=("eth99",)))
    assert missing.reason == "expect"
    assert missing.words.startswith("there is no interface eth99; there are ")


async def test_a_disk_that_is_not_there_is_told() -> None:
    """With its name."""
    ended = await look(Host.model_validate(["/nowhere"]))
    assert (ended.reason, ended.words) == ("error", "/nowhere: no such file or directory")


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")
    return root


V2 = {
    "memory.max": "1000",
    "memory.current": "600",
    "memory.stat": "anon 300\ninactive_file 100",
    "memory.events": "oom 2\noom_kill 1",
    "cpu.max": "150000 100000",
    "cpu.stat": "usage_usec 2500000\nthrottled_usec 500000",
}
V1 = {
    "memory/memory.limit_in_bytes": "1000",
    "memory/memory.usage_in_bytes": "600",
    "memory/memory.stat": "inactive_file 1\ntotal_inactive_file 100",
    "cpu/cpu.cfs_quota_us": "150000",
    "cpu/cpu.cfs_period_us": "100000",
    "cpu/cpu.stat": "nr_periods 3\nthrottled_time 500000000",
    "cpuacct/cpuacct.usage": "2500000000",
}
USED = {
    "container_memory_used_bytes": 500,
    "container_cpu_seconds_total": 2.5,
    "container_cpu_throttled_seconds_total": 0.5,
}
LIMITED = {
    **USED,
    "container_memory_limit_bytes": 1000,
    "container_memory_used_percent": 50,
    "container_cpu_limit_cores": 1.5,
}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (V2, {**LIMITED, "container_oom_kills_total": 1}),
        (V2 | {"memory.max": "max", "cpu.max": "max 100000"}, {**USED, "container_oom_kills_total": 1}),
        (V1, LIMITED),
        (V1 | {"memory/memory.limit_in_bytes": "9223372036854771712", "cpu/cpu.cfs_quota_us": "-1"}, USED),
        ({}, {}),
        ({"cgroup.procs": "1"}, {}),
        ({"memory.max": "?"}, {}),
    ],
)
def test_what_a_control_group_allows(tmp_path: Path, files: dict[str, str], expected: dict[str, float]) -> None:
    """Both versions yield the same numbers; no limit is no number."""
    assert dict(limits(tree(tmp_path, files))) == expected
