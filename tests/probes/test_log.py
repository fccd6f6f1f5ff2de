"""The kind `log`, on real files that grow, are rotated, truncated and deleted, while the agent looks and dies."""

from __future__ import annotations

import errno
import gzip
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.probes.base import Measure
from sentinel.probes.log import Log
from sentinel.probes.logs.lines import BLOCK
from sentinel.probes.run import Run, run
from tests.probes.looking import NOW, look, probe_of, value

COUNTED = "orders_total"


def log(path: Path | str, **keys: Any) -> Log:
    return Log.model_validate({"path": str(path), "metrics": {COUNTED: "order"}, **keys})


class Watch:
    """A probe that looks when it is told to, and an agent that may die before it has written down what it saw."""

    def __init__(self, kind: Log) -> None:
        self.kind = kind
        self.written: Mapping[str, Any] = {}
        self._memory: Mapping[str, Any] = {}
        self._stack = AsyncExitStack()
        self._measure: Measure | None = None

    async def look(self, *, die: str = "", later: timedelta = timedelta()) -> Run:
        """Look; `die` before or after what is remembered was written down, and start anew at the next look."""
        if self._measure is None:
            self._measure = await self._stack.enter_async_context(self.kind.ready())
        ended = await run(probe_of(self.kind, "log"), self._measure, NOW + later, self._memory)
        self._memory = ended.memory
        if die != "before":
            self.written = self._memory
        if die:
            await self.end()
        return ended

    async def end(self) -> None:
        """Die: what was written down is all that is left."""
        await self._stack.aclose()
        self._measure, self._memory = None, self.written


@asynccontextmanager
async def watching(kind: Log) -> AsyncIterator[Watch]:
    """Look once, at which everything begins."""
    watch = Watch(kind)
    await watch.look()
    yield watch
    await watch.end()


def write(path: Path, text: str) -> None:
    with path.open("a") as file:
        file.write(text)


def renamed(path: Path) -> None:
    for number in range(8, 0, -1):
        if (old := path.with_name(f"{path.name}.{number}")).exists():
            old.rename(path.with_name(f"{path.name}.{number + 1}"))
    path.rename(f"{path}.1")
    path.touch()


def copied(path: Path) -> None:
    for number in range(8, 0, -1):
        if (old := path.with_name(f"{path.name}.{number}")).exists():
            old.rename(path.with_name(f"{path.name}.{number + 1}"))
    shutil.copy(path, f"{path}.1")
    os.truncate(path, 0)


ROTATIONS: list[Callable[[Path], None]] = [renamed, copied]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return a log with history."""
    found = tmp_path / "app.log"
    found.write_text("order of last year\n" * 3)
    return found


async def test_what_is_new_counts_and_what_was_there_does_not(path: Path) -> None:
    """As `tail -F` does; unless the history is asked for."""
    async with watching(log(path)) as watch:
        assert value(await watch.look(), COUNTED) == 0
        write(path, "order 1\nno match\norder 2\n")
        ended = await watch.look()
        assert ended.success, ended.words
        found = [value(ended, f"probe_log_{what}") for what in ("lines_total", "bytes_total", "files", "behind_bytes")]
        assert [value(ended, COUNTED), *found] == [2, 3, 25, 1, 0]
    assert value(await look(log(path, from_start=True)), COUNTED) == 5


async def test_a_line_counts_when_its_end_is_there(path: Path) -> None:
    """Half a line waits; Windows ends lines otherwise."""
    async with watching(log(path, metrics={COUNTED: "^order [0-9]+$"})) as watch:
        write(path, "order 1")
        assert value(await watch.look(), COUNTED) == 0
        write(path, "7\r\n")
        assert value(await watch.look(), COUNTED) == 1


@pytest.mark.parametrize("rotates_at", [(0,), (1,), (2,), (3,), (1, 2), (2, 2), (1, 2, 3)])
@pytest.mark.parametrize("rotate", ROTATIONS)
async def test_each_line_counts_once(
    tmp_path: Path, rotate: Callable[[Path], None], rotates_at: tuple[int, ...]
) -> None:
    """Whatever the rotation, and whenever the agent dies, before or after what it remembers was on the disk."""
    for dies_at, die in [(0, ""), *product(range(4), ("before", "after"))]:
        path = tmp_path / f"{dies_at}{die}" / "app.log"
        path.parent.mkdir()
        path.write_text("order of last year\n" * 3)
        async with watching(log(path)) as watch:
            count = 0
            for at in range(4):
                for number in range(3):
                    write(path, f"order {at} {number}\nno match\n")
                    count += 1
                    if number < rotates_at.count(at):
                        rotate(path)
                ended = await watch.look(die=die if at == dies_at else "")
                assert value(ended, COUNTED) == count
            ended = await watch.look()
            assert (ended.words, value(ended, COUNTED), value(ended, "probe_log_gaps_total")) == ("", count, 0)


@pytest.mark.parametrize("die", ["", "before", "after"])
async def test_lines_that_look_alike_count_each(path: Path, die: str) -> None:
    """Logs without times: the new file begins as the old one did, and often has its inode."""
    path.write_text("")
    async with watching(log(path)) as watch:
        for at in range(4):
            write(path, "order\n" * 5)
            if at == 2:
                renamed(path)
                write(path, "order\n" * 5)
            await watch.look(die=die if at == 2 else "")
        assert value(await watch.look(), COUNTED) == 25


async def test_what_is_written_after_the_file_was_renamed_or_deleted_counts(path: Path) -> None:
    """A service writes on into the old file until it is told of the new one; it may be packed at once."""
    async with watching(log(path)) as watch:
        with path.open("a", buffering=1) as service:
            path.rename(f"{path}.1")
            service.write("order after the rename\n")
            assert value(await watch.look(), COUNTED) == 1
            service.write("order before packing\n")
            Path(f"{path}.1.gz").write_bytes(gzip.compress(Path(f"{path}.1").read_bytes()))
            Path(f"{path}.1").unlink()
            service.write("order after packing, without an end")
        path.write_text("order in the new file\n")
        assert value(await watch.look(), COUNTED) == 3
        assert value(await watch.look(later=timedelta(days=3650)), COUNTED) == 4, "the last line will have no end"
        assert value(await watch.look(), COUNTED) == 4


async def test_a_truncated_file_is_a_gap_unless_its_rest_is_found(path: Path) -> None:
    """What was written after the last look is lost with it, and that is told."""
    async with watching(log(path)) as watch:
        path.write_text("order\n")
        ended = await watch.look()
        assert (value(ended, COUNTED), value(ended, "probe_log_gaps_total")) == (1, 1)
        path.unlink()
        await watch.end()
        path.write_text("order of the new file\norder\n")
        ended = await watch.look()
        assert (value(ended, COUNTED), value(ended, "probe_log_gaps_total")) == (3, 2)


async def test_a_copy_that_somebody_makes_counts_nothing(path: Path) -> None:
    """Also when the original grows, is rotated, and is gone."""
    async with watching(log(path)) as watch:
        write(path, "order 1\n")
        shutil.copy(path, f"{path}.bak")
        write(path, "order 2\n")
        assert value(await watch.look(), COUNTED) == 2
        shutil.copy(path, f"{path}.again")
        renamed(path)
        write(path, "order 3\n")
        assert value(await watch.look(die="after"), COUNTED) == 3
        Path(f"{path}.1").unlink()
        assert value(await watch.look(), COUNTED) == 3
        assert value(await watch.look(die="after"), COUNTED) == 3
        assert value(await watch.look(), COUNTED) == 3


async def test_a_hole_that_truncation_left_is_passed_over(path: Path) -> None:
    """Who does not append writes on where it was: the file begins with nothing, as long as that was."""
    with path.open("r+") as service:
        service.seek(0, os.SEEK_END)
        async with watching(log(path)) as watch:
            os.truncate(path, 0)
            service.seek(50 * BLOCK)
            service.write("order\n")
            service.flush()
            assert value(await watch.look(), COUNTED) == 1


async def test_several_files_are_followed(path: Path) -> None:
    """One that appears is read from its start, one that goes is no failure."""
    other = path.with_name("web.log")
    async with watching(log(path.with_name("*.log"))) as watch:
        other.write_text("order\n")
        write(path, "order\n")
        ended = await watch.look()
        assert (value(ended, COUNTED), value(ended, "probe_log_files")) == (2, 2)
        path.rename(path.with_name("app-2026-11-30.log"))
        path.write_text("order\n")
        assert value(await watch.look(), COUNTED) == 3
        other.unlink()
        assert (await watch.look()).success


async def test_a_missing_file_fails_the_second_time(path: Path) -> None:
    """While it is rotated there may be none for a moment."""
    async with watching(log(path)) as watch:
        path.unlink()
        assert (await watch.look()).success
        ended = await watch.look()
        assert (ended.reason, ended.words) == ("expect", f"{path}: no such file")
        path.write_text("order\n")
        assert value(await watch.look(), COUNTED) == 1
    assert (await look(log("/nowhere/*.log"))).words == "/nowhere/*.log finds no file"
    assert (await look(log("/nowhere/*.log", may_be_missing=True))).success


async def test_a_file_that_may_not_be_read_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its path; others are read nevertheless."""
    other = path.with_name("web.log")
    other.write_text("order\n")
    opening = os.open

    # Root, who runs these tests in a container, may read everything.
    def refuse(name: str, flags: int) -> int:
        if name == str(path):
            raise PermissionError(errno.EACCES, "Permission denied", name)
        return opening(name, flags)

    monkeypatch.setattr(os, "open", refuse)
    ended = await look(log(path.with_name("*.log"), from_start=True))
    assert (ended.reason, ended.words) == ("auth", f"{path}: permission denied")
    assert value(ended, COUNTED) == 1


async def test_groups_are_labels_and_numbers(path: Path) -> None:
    """Counts by label, sums, newest values, histograms; units as the metric's name says."""
    metrics = {
        "logins_failed_total": "login failed: (?P<why>[a-z ]+)",
        "errors_total": {"pattern": "ERROR", "unless": "ERROR ignored"},
        "revenue_euros_total": {"pattern": r"paid (?P<amount>\S+) by (?P<method>\w+)", "sum": "amount"},
        "queue_depth": {"pattern": "depth=(?P<n>[0-9]+)", "last": "n"},
        "order_seconds": {"pattern": "took (?P<time>[0-9.]+m?s)", "observe": "time", "buckets": ["0.1", "1"]},
    }
    async with watching(log(path, metrics=metrics)) as watch:
        write(
            path,
            "login failed: wrong password\nlogin failed: locked\nlogin failed: locked\nERROR\nERROR ignored\n"
            "paid 1.5 by card\npaid 2 by card\npaid 5 by transfer\ndepth=3\ndepth=7\ntook 50ms\ntook 1.5s\ntook 70ms\n",
        )
        await watch.look(die="after")
        write(path, "ERROR\ntook 0.1s\n")
        ended = await watch.look()
    assert ended.success, ended.words
    assert value(ended, "logins_failed_total", why="locked") == 2
    assert value(ended, "errors_total") == 2
    assert value(ended, "revenue_euros_total", method="card") == 3.5
    assert value(ended, "queue_depth") == 7
    assert [value(ended, "order_seconds_bucket", le=le) for le in ("0.1", "1", "+Inf")] == [3, 3, 4]
    assert value(ended, "order_seconds_count") == 4
    assert value(ended, "order_seconds_sum") == pytest.approx(1.72)
    counters = {sample.name for sample in ended.batch.samples if sample.counter}
    assert "queue_depth" not in counters
    assert {"errors_total", "order_seconds_bucket"} < counters


async def test_labels_without_end_are_capped(path: Path) -> None:
    """The first so many are kept; what comes beside them is counted as `other`, so sums stay true."""
    metrics = {COUNTED: {"pattern": "order (?P<id>[0-9]+)", "most": "3"}}
    async with watching(log(path, metrics=metrics)) as watch:
        write(path, "".join(f"order {number}\n" for number in range(1000)))
        ended = await watch.look()
    assert value(ended, COUNTED, id="2") == 1
    assert value(ended, COUNTED, id="other") == 997


async def test_a_number_that_is_none_is_told_and_the_others_count(path: Path) -> None:
    """A line that is written otherwise now is noticed, once."""
    metrics = {"paid_total": {"pattern": "paid (?P<n>\\S+)", "sum": "n"}}
    async with watching(log(path, metrics=metrics)) as watch:
        write(path, "paid 1\npaid much\npaid 2\n")
        ended = await watch.look()
        assert ended.reason == "expect"
        assert ended.words.startswith('paid_total: "much" is not a quantity')
        assert ended.words.endswith('in the line "paid much"')
        assert value(ended, "paid_total") == 3
        assert (await watch.look()).success


async def test_a_line_without_end_takes_bounded_memory(path: Path) -> None:
    """It is cut at 1 MiB, counts once, and the line behind it is whole."""
    async with watching(log(path)) as watch:
        write(path, "order " + "x" * (3 * BLOCK + 7))
        assert value(await watch.look(), COUNTED) == 1
        write(path, "order of the same line\norder\n")
        ended = await watch.look(die="after")
        assert (value(ended, COUNTED), value(ended, "probe_log_lines_total")) == (2, 2)


@pytest.mark.parametrize(
    ("encoding", "content", "count"),
    [
        ("utf-8", b"\xef\xbb\xbforder \xff\xfe\n", 1),
        ("latin-1", "bestellung für order\n".encode("latin-1"), 1),
        ("utf-16-le", "\ufefforder \u0a0a \u010a\norder\n".encode("utf-16-le"), 2),
        ("utf-16-be", "order \u0a0a\norder\nhalf an order".encode("utf-16-be"), 2),
    ],
)
async def test_encodings(tmp_path: Path, encoding: str, content: bytes, count: int) -> None:
    """Bytes that are no text hide nothing; where a letter is two bytes, half of one is no newline."""
    path = tmp_path / "app.log"
    path.write_bytes(content)
    metrics = {COUNTED: "^(bestellung für )?order"}
    assert value(await look(log(path, encoding=encoding, metrics=metrics, from_start=True)), COUNTED) == count


async def test_a_pipe_or_folder_is_no_file(tmp_path: Path) -> None:
    """Opening a pipe would wait for who writes into it."""
    os.mkfifo(tmp_path / "pipe.log")
    (tmp_path / "folder.log").mkdir()
    ended = await look(log(tmp_path / "*.log"))
    assert (ended.success, value(ended, "probe_log_files")) == (False, 0)


async def test_another_path_begins_anew(path: Path) -> None:
    """Else all that is in the files of a new pattern would count as if it were written now."""
    other = path.with_name("web.log")
    other.write_text("order\n" * 5)
    async with watching(log(path)) as watch:
        write(path, "order\n")
        await watch.look()
        await watch.end()
        watch.kind = log(path.with_name("*.log"))
        write(path, "order\n")
        assert value(await watch.look(), COUNTED) == 2


@pytest.mark.parametrize(
    ("metrics", "words"),
    [
        ({"orders": "order"}, "its name should end in _total: orders_total"),
        ({"depth_total": {"pattern": "(?P<n>.)", "last": "n"}}, "should not end as a counter's does"),
        ({"depth": {"pattern": "(?P<m>.)", "last": "n"}}, '"n" is not a named group of the pattern; there is m'),
        ({"x_total": {"pattern": "(?P<n>.)", "sum": "n", "last": "n"}}, "needs one of sum and last, not both"),
        ({"x_seconds": {"pattern": "(?P<n>.)", "observe": "n", "buckets": ["1", "1"]}}, "greater than the one before"),
        ({"x_total": {"pattern": "x", "buckets": ["1"]}}, "buckets: belong to observe"),
        ({"x_total": "("}, "missing"),
    ],
)
def test_mistakes_in_metrics_are_told(metrics: dict[str, Any], words: str) -> None:
    """Before anything is counted."""
    with pytest.raises(ValidationError, match=words):
        log("/app.log", metrics=metrics)


@pytest.mark.parametrize(("name", "words"), [("utf-17", "is not an encoding"), ("utf-16", "write utf-16-le")])
def test_an_encoding_that_is_none_is_told(name: str, words: str) -> None:
    """And one that does not say in which order its bytes are."""
    with pytest.raises(ValidationError, match=words):
        log("/app.log", encoding=name)
