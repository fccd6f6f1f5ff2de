"""A real disk that is full, or that may not be written."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from sentinel.core.clock import to_ms
from sentinel.core.errors import StoreUnavailable
from sentinel.store.database import Database
from tests.e2e.fast import FastAgent
from tests.store.kit import named

TREE = """
probes: {shop: {scrape: "http://127.0.0.1:1/metrics", every: 15s}}
rules: {queue: {last: queue_depth, above: 5, severity: error}}
notifiers: {people: {console: {}}}
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = _mount("-t", "tmpfs", "-o", "size=2m", "sentinel", str(folder))
    if mounted.returncode:
        pytest.skip(f"may not mount a disk here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)


def _fill(path: Path) -> None:
    """Write a file until there is no space left."""
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def test_a_full_disk_stops_writing_and_nothing_else(disk: Path) -> None:
    """Who waits hears why; what is judged then is told when there is space, and no sample is lost."""
    agent, depth = FastAgent(disk), 1.0
    agent.looks["shop"] = lambda _: {"queue_depth": depth}
    agent.write(TREE)
    agent.start().run(2 * MINUTE)
    _fill(disk / "other")
    depth = 9.0
    agent.run(5 * MINUTE)
    assert agent.desk.pen.unwritten_since is not None
    refused = agent.desk.write(lambda tx: tx.memory.put("shop", {}))
    agent.run(MINUTE)
    with pytest.raises(StoreUnavailable, match="no space is left"):
        refused.result(0)
    assert agent.told() == []
    (disk / "other").unlink()
    agent.run(MINUTE)
    assert agent.told() == ["firing error queue"]
    agent.restart()
    ends_ms = np.array([to_ms(agent.clock.now())])
    found = agent.history.windows(named("queue_depth"), ends_ms, 3_600_000)
    assert int((found.hi - found.lo)[0, 0]) == 9 * 4
    agent.database.close()


def test_a_disk_that_may_not_be_written_is_named(disk: Path) -> None:
    """The agent does not start there; whoever only looks may look."""
    agent = FastAgent(disk, {"shop": lambda _: {"queue_depth": 1.0}})
    agent.write(TREE)
    agent.start().run(MINUTE)
    agent.database.close()
    assert _mount("-o", "remount,ro", str(disk)).returncode == 0
    url = f"sqlite:///{disk}/sentinel.db"
    with pytest.raises(StoreUnavailable, match="Read-only file system; Sentinel must be able to write in this folder"):
        Database.open(url)
    database = Database.open(url, read_only=True)
    with database.read() as tx:
        assert tx.samples.last_id() > 0
    database.close()
