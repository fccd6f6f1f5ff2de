"""The kind `file`, on real files."""

from __future__ import annotations

import asyncio
import os
import re
import threading
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.core.errors import ProbeFailed
from sentinel.probes.file import File
from sentinel.probes.run import run
from sentinel.probes.threads import Lone
from tests.probes.looking import NOW, look, probe_of, value


def written(path: Path, content: str = "", *, hours_ago: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    then = NOW.timestamp() - 3600 * hours_ago
    os.utime(path, (then, then))
    return path


def file(**keys: Any) -> File:
    return File.model_validate(keys)


async def test_files_are_counted_and_their_ages_known(tmp_path: Path) -> None:
    """Count, size, oldest and newest, folders not among them."""
    written(tmp_path / "a.dump", "12345", hours_ago=30)
    written(tmp_path / "b.dump", "1234567", hours_ago=2)
    written(tmp_path / "c.txt", "no dump")
    (tmp_path / "d.dump").mkdir()
    ended = await look(file(path=f"{tmp_path}/*.dump", count={"at_least": "2"}, newest={"at_most": "3h"}))
    assert ended.success, ended.words
    names = ("count", "size_bytes", "newest_age_seconds", "oldest_age_seconds", "oldest_modified_timestamp_seconds")
    found = [value(ended, f"probe_file_{name}") for name in names]
    assert found == [2, 12, 7200, 30 * 3600, NOW.timestamp() - 30 * 3600]


async def test_folders_at_any_depth_are_searched(tmp_path: Path) -> None:
    """`**` does."""
    written(tmp_path / "x" / "y" / "deep.log")
    written(tmp_path / "top.log")
    assert value(await look(file(path=f"{tmp_path}/**/*.log")), "probe_file_count") == 2


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"path": "none.dump"}, "none.dump: no such file"),
        ({"path": "*.none"}, "*.none finds 0 files, expected at least 1"),
        ({"path": "*.dump", "count": {"at_least": "3"}}, "*.dump finds 2 files, expected at least 3"),
        ({"path": "old.dump", "count": {"at_most": "0"}}, "old.dump finds 1 file, expected at most 0"),
        ({"path": "*.dump", "newest": {"at_most": "1h"}}, "new.dump is 2h old, expected at most 1h"),
        ({"path": "*.dump", "oldest": {"at_most": "1d"}}, "old.dump is 1d6h old, expected at most 1d"),
        ({"path": "*.dump", "newest": {"at_least": "1d"}}, "new.dump is 2h old, expected at least 1d"),
        ({"path": "*.dump", "size": {"at_least": "10B"}}, "new.dump has 7 B, expected at least 10B"),
        ({"path": "*.dump", "size": {"at_most": "6B"}}, "new.dump has 7 B, expected at most 6B"),
    ],
)
async def test_what_is_not_as_it_should_be_is_told(tmp_path: Path, keys: dict[str, Any], words: str) -> None:
    """Which file, how it is, and what was expected; the numbers are stored all the same."""
    written(tmp_path / "old.dump", "x" * 12, hours_ago=30)
    written(tmp_path / "new.dump", "1234567", hours_ago=2)
    ended = await look(file(**keys | {"path": f"{tmp_path}/{keys['path']}"}))
    assert ended.reason == "expect"
    assert words in ended.words
    assert value(ended, "probe_file_count") >= 0


async def test_a_change_is_noticed_once_also_over_a_restart(tmp_path: Path) -> None:
    """By content: a file that is written again as it was has not changed."""
    path = written(tmp_path / "hosts", "a")
    kind = file(path=str(path), changes="false")
    memory: dict[str, Any] = {}
    seen = []
    for content in ("a", "b", "b"):
        path.write_text(content)
        async with kind.ready() as measure:
            ended = await run(probe_of(kind), measure, NOW, memory)
        memory = dict(ended.memory)
        seen.append((ended.success, value(ended, "probe_file_changed")))
    assert seen == [(True, 0), (False, 1), (True, 0)]


async def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """With its name, and what the system says of it."""
    ended = await look(file(path=f"{written(tmp_path / 'file')}/below"))
    assert ended.reason == "error"
    assert ended.words.endswith("file/below: not a directory")
    assert re.fullmatch("a\0b: .*embedded null .*", (await look(file(path="a\0b"))).words)


async def test_a_file_system_that_hangs_keeps_one_thread() -> None:
    """The next look says so and begins no other."""
    thread, hung = Lone("test"), threading.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await thread(hung.wait)
    with pytest.raises(ProbeFailed, match="an earlier look still waits"):
        await thread(hung.wait)
    hung.set()
    while True:
        try:
            assert await thread(lambda: 7) == 7
            break
        except ProbeFailed:
            await asyncio.sleep(0)


@pytest.mark.parametrize(
    "given",
    [
        {"path": ""},
        {"path": "x", "count": {"at_least": "2", "at_most": "1"}},
        {"path": "x", "newest": {}},
        {"path": "x", "newest": {"at_most": "5"}},
        {"path": "x", "size": {"at_most": "5m"}},
    ],
)
def test_a_bad_definition_is_refused(given: dict[str, Any]) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError):
        File.model_validate(given)
