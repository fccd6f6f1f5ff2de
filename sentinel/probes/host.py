"""host: how busy and how full is this machine, or the container that the agent runs in?

    probes:
      machine: {host: [/]}
      database-host:
        host:
          disks: [/, /var/lib/postgresql]
          networks: [eth0]
        every: 15s

Keys
    disks      folders whose file systems are looked at; default [/]
    networks   interfaces; default all but loopback and those of containers

Emits, about the machine
    host_cpu_percent                          of all processors, since the last look; not on the first
    host_cpus
    host_load1, host_load5, host_load15
    host_memory_total_bytes, host_memory_available_bytes, host_memory_used_percent
    host_swap_total_bytes, host_swap_used_bytes
    host_disk_total_bytes{disk}, host_disk_available_bytes{disk}, host_disk_used_percent{disk}
    host_disk_inodes_used_percent{disk}       where the file system counts them
    host_network_receive_bytes_total{interface}, host_network_transmit_bytes_total{interface}
    host_network_receive_errors_total{interface}, host_network_transmit_errors_total{interface}
    host_boot_timestamp_seconds               Unix seconds

Emits, where a control group (v1 or v2) limits the container
    container_memory_limit_bytes, container_memory_used_bytes, container_memory_used_percent
    container_cpu_limit_cores
    container_cpu_seconds_total, container_cpu_throttled_seconds_total
    container_oom_kills_total                 v2 only

Used memory of a container leaves out the cache that the kernel would give back first, as `kubectl top` does.
"""

from __future__ import annotations

import fnmatch
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

from pydantic import Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import COUNTER_ENDINGS, Sample
from sentinel.probes.base import Look, Measure, ProbeKind
from sentinel.probes.threads import Lone

#: Interfaces that say nothing of the machine's own traffic.
_INNER = ("lo", "veth*", "docker*", "br-*", "cali*", "cni*", "flannel*")


class Host(ProbeKind):
    """The machine that the agent runs on."""

    SHORT = "disks"

    disks: tuple[str, ...] = Field(("/",), min_length=1)
    networks: tuple[str, ...] | None = None

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the thread in which it looks: a network disk may hang."""
        yield partial(self._look, Lone("host"))

    async def _look(self, thread: Lone, look: Look) -> Sequence[Sample]:
        look.doing = f"looking at {', '.join(self.disks)}"
        busy, every = _processor_times()
        found = await thread(lambda: list(self._found()))
        before = look.memory.get("cpu", [])
        # The counters begin anew with the machine.
        if len(before) == 2 and every > before[1] and busy >= before[0]:
            found.append(Sample("host_cpu_percent", 100 * (busy - before[0]) / (every - before[1])))
        look.memory["cpu"] = [busy, every]
        return found

    def _found(self) -> Iterator[Sample]:
        from sentinel.probes.cgroup import limits

        yield from _machine()
        for disk in self.disks:
            yield from _disk(disk)
        yield from self._networks()
        for name, value in limits(Path("/")):
            yield Sample(name, value, counter=name.endswith(COUNTER_ENDINGS))

    def _networks(self) -> Iterator[Sample]:
        import psutil

        counters = psutil.net_io_counters(pernic=True)
        outer = [name for name in counters if not any(fnmatch.fnmatchcase(name, inner) for inner in _INNER)]
        for name in outer if self.networks is None else self.networks:
            if (seen := counters.get(name)) is None:
                raise ProbeFailed("expect", f"there is no interface {name}; there are {', '.join(counters)}")
            of = {"interface": name}
            yield Sample("host_network_receive_bytes_total", float(seen.bytes_recv), of, counter=True)
            yield Sample("host_network_transmit_bytes_total", float(seen.bytes_sent), of, counter=True)
            yield Sample("host_network_receive_errors_total", float(seen.errin), of, counter=True)
            yield Sample("host_network_transmit_errors_total", float(seen.errout), of, counter=True)


def _processor_times() -> tuple[float, float]:
    """Return the seconds that processors worked, and all: waiting for a disk is no work, and guests count once."""
    import psutil

    times = psutil.cpu_times()
    every = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return every - times.idle - getattr(times, "iowait", 0.0), every


def _machine() -> Iterator[Sample]:
    import psutil

    memory, swap = psutil.virtual_memory(), psutil.swap_memory()
    yield Sample("host_cpus", float(psutil.cpu_count() or 1))
    for name, load in zip(("host_load1", "host_load5", "host_load15"), psutil.getloadavg(), strict=True):
        yield Sample(name, load)
    yield Sample("host_memory_total_bytes", float(memory.total))
    yield Sample("host_memory_available_bytes", float(memory.available))
    yield Sample("host_memory_used_percent", 100 * (1 - memory.available / memory.total))
    yield Sample("host_swap_total_bytes", float(swap.total))
    yield Sample("host_swap_used_bytes", float(swap.used))
    yield Sample("host_boot_timestamp_seconds", psutil.boot_time())


def _disk(disk: str) -> Iterator[Sample]:
    """Look at a file system as `df` does: full is when those who are not root can write no more."""
    try:
        found = os.statvfs(disk)
    except OSError as exc:
        raise ProbeFailed("error", f"{disk}: {(exc.strerror or str(exc)).lower()}") from exc
    of = {"disk": disk}
    used = found.f_blocks - found.f_bfree
    yield Sample("host_disk_total_bytes", float(found.f_blocks * found.f_frsize), of)
    yield Sample("host_disk_available_bytes", float(found.f_bavail * found.f_frsize), of)
    if used + found.f_bavail:
        yield Sample("host_disk_used_percent", 100 * used / (used + found.f_bavail), of)
    if found.f_files:
        yield Sample("host_disk_inodes_used_percent", 100 * (1 - found.f_favail / found.f_files), of)
