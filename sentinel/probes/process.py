"""process: do programs of this machine run, how many, and what do they use?

    probes:
      workers:
        process:
          command: celery.*worker
          count: {at_least: 4}
      broker: {process: {name: beam.smp, user: rabbitmq}}
      shop: {process: {pid_file: /run/shop.pid}}

Keys
    name       of the program, as `ps` shows it
    command    a pattern (RE2) that is found in the command with its arguments
    pid_file   a file that holds the number of one process
    user       who runs it
    count      how many there should be, {at_least, at_most}; default at_least 1

One of the first three is needed; a process counts if it fits all that are there.

Emits, for all that fit together
    probe_process_count
    probe_process_resident_memory_bytes
    probe_process_threads
    probe_process_cpu_percent                     since the last look; 100 is one processor, not on the first look
    probe_process_open_files                      where the agent may see them: its own user's, or as root
    probe_process_oldest_start_timestamp_seconds  Unix seconds; it grows when a program was started anew
    probe_process_newest_start_timestamp_seconds

The agent itself is never counted.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import Field, model_validator

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Pattern
from sentinel.core.regex import compile_pattern
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind, Verdict
from sentinel.probes.file import Count
from sentinel.probes.threads import Lone

if TYPE_CHECKING:
    import psutil


class Seen(NamedTuple):
    """A process, as it was found.

    Args:
        key: its number and start, since numbers are used again.
        started: Unix seconds.
        cpu_seconds: that it worked.
        memory_bytes: that it holds.
        threads: that it has.
        open_files: None where we may not see them.
    """

    key: str
    started: float
    cpu_seconds: float
    memory_bytes: int
    threads: int
    open_files: int | None


class Process(ProbeKind):
    """Processes of this machine."""

    SHORT = "name"

    name: str | None = None
    command: Pattern | None = None
    pid_file: Path | None = None
    user: str | None = None
    count: Count = Field(default_factory=lambda: Count(at_least=1))

    @model_validator(mode="after")
    def _some(self) -> Process:
        if self.name is None and self.command is None and self.pid_file is None:
            raise ValueError("needs one of name, command and pid_file")
        return self

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the thread in which it looks: thousands of processes take a while."""
        yield partial(self._look, Lone("process"))

    async def _look(self, thread: Lone, look: Look) -> Sequence[Sample]:
        look.doing = "looking through the processes"
        seen = await thread(lambda: [_seen(process) for process in self._fitting()])
        found = [process for process in seen if process is not None]
        look.found += _together(found)
        look.found += _worked(look, found)
        look.judge(self._verdicts(len(found)))
        return []

    def _fitting(self) -> Iterator[psutil.Process]:
        import psutil

        wanted = compile_pattern(self.command) if self.command is not None else None
        for process in self._candidates():
            try:
                with process.oneshot():
                    fits = (
                        process.pid != os.getpid()
                        and self.name in (None, process.name())
                        and self.user in (None, process.username())
                        and (wanted is None or wanted.search(" ".join(process.cmdline())) is not None)
                        and process.status() != psutil.STATUS_ZOMBIE
                    )
            except psutil.Error:  # it ended while we looked, or is none of our business
                continue
            if fits:
                yield process

    def _candidates(self) -> Iterator[psutil.Process]:
        import psutil

        if self.pid_file is None:
            yield from psutil.process_iter()
            return
        try:
            written = self.pid_file.read_text(errors="replace").strip()
        except FileNotFoundError:
            return
        except OSError as exc:
            raise ProbeFailed("error", f"{self.pid_file}: {(exc.strerror or str(exc)).lower()}") from exc
        if not written.isdecimal() or not 0 < int(written[:12]) < 2**31:
            raise ProbeFailed("error", f"{self.pid_file} does not hold the number of a process")
        if psutil.pid_exists(int(written)):
            yield psutil.Process(int(written))

    def _verdicts(self, found: int) -> Iterator[Verdict]:
        few, many = found < self.count.at_least, self.count.at_most is not None and found > self.count.at_most
        wanted = f"at least {self.count.at_least}" if few or not many else f"at most {self.count.at_most}"
        words = f"{found} {'process' if found == 1 else 'processes'} of {self._what()}, expected {wanted}"
        yield Verdict("count", f"{wanted} of {self._what()}", words if few or many else "")

    def _what(self) -> str:
        said = {"name": self.name, "command": self.command, "pid_file": self.pid_file, "user": self.user}
        return ", ".join(f'{key} "{value}"' for key, value in said.items() if value is not None)


def _seen(process: psutil.Process) -> Seen | None:
    import psutil

    try:
        with process.oneshot():
            times, started = process.cpu_times(), process.create_time()
            memory, threads = process.memory_info().rss, process.num_threads()
    except psutil.Error:
        return None
    try:
        files = process.num_fds()
    except psutil.Error:
        files = None
    return Seen(f"{process.pid} {started:.2f}", started, times.user + times.system, memory, threads, files)


def _together(found: Sequence[Seen]) -> Iterator[Sample]:
    yield Sample("probe_process_count", float(len(found)))
    yield Sample("probe_process_resident_memory_bytes", float(sum(process.memory_bytes for process in found)))
    yield Sample("probe_process_threads", float(sum(process.threads for process in found)))
    # Half of the files is no number of files.
    if found and not any(process.open_files is None for process in found):
        yield Sample("probe_process_open_files", float(sum(process.open_files or 0 for process in found)))
    if found:
        yield Sample("probe_process_oldest_start_timestamp_seconds", min(process.started for process in found))
        yield Sample("probe_process_newest_start_timestamp_seconds", max(process.started for process in found))


#: A memory is small: of more processes than this, what each had worked is not remembered.
_REMEMBERED = 1000


def _worked(look: Look, found: Sequence[Seen]) -> Iterator[Sample]:
    """Compare each process with itself on the last look: one that ended or began takes no part."""
    before: Mapping[str, float] = look.memory.get("cpu", {})
    since = look.now.timestamp() - look.memory.get("at", look.now.timestamp())
    same = [process for process in found if process.key in before]
    if since > 0 and same:
        worked = sum(process.cpu_seconds - before[process.key] for process in same)
        yield Sample("probe_process_cpu_percent", 100 * max(0.0, worked) / since)
    look.memory["cpu"] = {process.key: round(process.cpu_seconds, 2) for process in found[:_REMEMBERED]}
    look.memory["at"] = look.now.timestamp()
