"""The kind `process`, with real processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.process import Process
from sentinel.probes.run import run
from tests.probes.looking import NOW, look, probe_of, value

MARK = f"marked-by-a-test-{os.getpid()}"
#: Two programs that say that they are ready, and then wait.
WAITS = "print('ready', flush=True); input()"


@pytest.fixture(scope="module")
def pids() -> Iterator[list[int]]:
    """Start two processes whose command holds the mark."""
    command = [sys.executable, "-S", "-c", WAITS, MARK]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
    try:
        for process in started:
            assert process.stdout is not None
            process.stdout.readline()
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.kill()
            process.communicate()


async def test_processes_are_counted_and_added_up(pids: list[int]) -> None:
    """Found by their command; what they use is that of all together."""
    ended = await look(Process.model_validate({"command": MARK, "count": {"at_least": "2", "at_most": "2"}}))
    assert ended.success, ended.words
    assert value(ended, "probe_process_count") == 2
    assert value(ended, "probe_process_threads") == 2
    assert value(ended, "probe_process_resident_memory_bytes") > 2_000_000
    assert value(ended, "probe_process_open_files") >= 6
    oldest, newest = (value(ended, f"probe_process_{word}_start_timestamp_seconds") for word in ("oldest", "newest"))
    assert 0 < oldest <= newest


async def test_what_processes_worked_is_that_of_the_same_ones(pids: list[int]) -> None:
    """From the second look on; a process that is not the one of the last look is compared with nothing."""
    kind = Process(command=MARK)
    memory: dict[str, Any] = {}
    async with kind.ready() as measure:
        first = await run(probe_of(kind), measure, NOW, memory)
        memory = dict(first.memory)
        keys = list(memory["kind"]["cpu"])
        memory["kind"] |= {"cpu": {keys[0]: memory["kind"]["cpu"][keys[0]] - 1.5, "1 0.00": 99.0}}
        second = await run(probe_of(kind), measure, NOW + timedelta(seconds=15), memory)
    assert not any(sample.name == "probe_process_cpu_percent" for sample in first.batch.samples)
    assert value(second, "probe_process_cpu_percent") == pytest.approx(10, abs=1)


async def test_one_is_found_by_its_pid_file(pids: list[int], tmp_path: Path) -> None:
    """Also with a new line behind the number, as daemons write it."""
    path = tmp_path / "shop.pid"
    path.write_text(f"{pids[0]}\n")
    assert value(await look(Process(pid_file=path, command=MARK)), "probe_process_count") == 1
    other = await look(Process(pid_file=path, name="another"))
    assert other.words == f'0 processes of name "another", pid_file "{path}", expected at least 1'
    path.write_text("999999999")
    assert (await look(Process(pid_file=path))).reason == "expect"
    path.write_text("no number")
    assert (await look(Process(pid_file=path))).words == f"{path} does not hold the number of a process"
    path.unlink()
    assert (await look(Process(pid_file=path))).words == f'0 processes of pid_file "{path}", expected at least 1'


async def test_too_many_and_none_are_told(pids: list[int]) -> None:
    """With what was looked for, and the count is stored all the same."""
    many = await look(Process.model_validate({"command": MARK, "count": {"at_most": "1"}}))
    assert many.words == f'2 processes of command "{MARK}", expected at most 1'
    assert value(many, "probe_process_count") == 2
    none = await look(Process(command=MARK, user="nobody-at-all"))
    assert (none.reason, value(none, "probe_process_count")) == ("expect", 0)


async def test_the_agent_is_not_counted(tmp_path: Path) -> None:
    """Else a pattern would find the agent whose command holds it."""
    path = tmp_path / "agent.pid"
    path.write_text(str(os.getpid()))
    ended = await look(Process.model_validate({"pid_file": str(path), "count": {"at_least": "0"}}))
    assert (ended.success, value(ended, "probe_process_count")) == (True, 0)


@pytest.mark.parametrize("given", [{}, {"user": "root"}, {"command": "("}, {"name": "x", "count": {"at_least": "-1"}}])
def test_a_bad_definition_is_refused(given: dict[str, Any]) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError):
        Process.model_validate(given)
