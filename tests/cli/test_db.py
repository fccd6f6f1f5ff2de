"""`sentinel db` as a user types it, in this process: what it prints, and its exit codes."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sentinel.cli import main
from sentinel.store.database import Database
from tests.receivers.http import HttpReceiver, Request
from tests.store.kit import START

Sentinel = Callable[..., tuple[int, str, str]]

#: Yesterday, in whole hours: history is for what is neither too old nor to come.
BEGAN = int(time.time()) // 3600 * 3600 - 86_400


@pytest.fixture
def sentinel(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Sentinel:
    """Return what runs a command on a database of its own; it gives exit code, output and errors."""
    monkeypatch.setenv("SENTINEL_DATABASE_URL", f"sqlite:///{tmp_path / 'sentinel.db'}")
    monkeypatch.setenv("SENTINEL_LISTEN", "127.0.0.1:1")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sentinel", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(ended.value.code or 0), out, err

    return run


@pytest.fixture
def house(tmp_path: Path) -> Database:
    """A database that somebody has written, and left."""
    database = Database.open(f"sqlite:///{tmp_path / 'sentinel.db'}")
    with database.begin() as tx:
        for number in range(3):
            tx.audit.append(START, "test", f"row {number}", {})
    database.close()
    return database


def test_a_whole_database_is_said_to_be(sentinel: Sentinel, house: Database) -> None:
    """Exit code 0, in text and in JSON."""
    assert sentinel("db", "check")[:2] == (0, "The database is whole.\n")
    code, out, _ = sentinel("db", "check", "--format", "json")
    assert (code, json.loads(out)) == (0, {"problems": []})


def test_what_is_wrong_ends_with_1(sentinel: Sentinel, house: Database) -> None:
    """Each problem is a line; a file that is no database is a problem too."""
    with closing(sqlite3.connect(house.path)) as connection, connection:
        connection.execute("UPDATE audit SET body = '{\"x\":1}' WHERE seq = 2")
    code, out, _ = sentinel("db", "check")
    assert code == 1
    assert out.startswith("audit row 2 (test row 1 at 2026-01-01 00:00:00) was changed")
    assert out.count("\n") == 1
    house.path.write_bytes(b"nonsense" * 1000)
    code, out, _ = sentinel("db", "check")
    assert (code, out.strip()) == (1, f"{house.path} is not a database; move the file away, or name another one")


def test_no_database_is_no_problem_of_a_file(sentinel: Sentinel) -> None:
    """Exit code 3, with what to do; nothing is made."""
    for command in (["check"], ["backup", "copy.db"]):
        code, _, err = sentinel("db", *command)
        assert code == 3
        assert "does not exist; start the agent once" in err
    assert list(Path().iterdir()) == []


def test_a_backup_is_told_and_can_be_checked(sentinel: Sentinel, house: Database) -> None:
    """It is there, whole, and not written over by mistake."""
    code, out, err = sentinel("db", "backup", "copy.db")
    assert (code, err) == (0, "")
    assert out.startswith("wrote copy.db (")
    assert sentinel("db", "check", "copy.db")[0] == 0
    code, _, err = sentinel("db", "backup", "copy.db")
    assert code == 3
    assert "give --force to replace it" in err
    assert sentinel("db", "backup", "copy.db", "--force")[0] == 0


def test_the_copy_of_a_damaged_database_is_kept_and_said_to_be_damaged(sentinel: Sentinel, house: Database) -> None:
    """It may be the best there is."""
    with closing(sqlite3.connect(house.path)) as connection, connection:
        connection.execute("DELETE FROM audit WHERE seq = 1")
    code, out, err = sentinel("db", "backup", "copy.db")
    assert (code, out.startswith("wrote copy.db")) == (1, True)
    assert "audit row 1 was removed" in err
    assert "and so has its copy" in err


LINES = "\n".join(
    json.dumps(
        {
            "metric": {"__name__": "sold_total", "shop": shop},
            "values": [100, 101.25, 103],
            "timestamps": [(BEGAN + seconds) * 1000 for seconds in (0, 60, 120)],
        }
    )
    for shop in ("a", "b")
)


def test_what_was_exported_can_be_imported(sentinel: Sentinel, tmp_path: Path) -> None:
    """From a file and through a pipe, all of it or some, and it says what became of it."""
    Path("past.jsonl").write_text(LINES)
    assert sentinel("db", "import", "past.jsonl")[:2] == (0, "6 samples taken\n")
    assert sentinel("db", "import", "past.jsonl")[1] == "0 samples taken; not taken: 6 duplicate\n"
    code, out, err = sentinel("db", "export")
    assert (code, len(out.splitlines()), err) == (0, 2, "6 samples of 2 series\n")
    code, out, err = sentinel("db", "export", "--match", 'sold_total{shop="b"}', "--since", str(BEGAN + 60))
    assert [json.loads(line)["values"] for line in out.splitlines()] == [[101.25, 103.0]]
    code, out, _ = sentinel("db", "export", "--format", "openmetrics", "--match", '{shop="a"}')
    expected = [f'sold_total{{shop="a"}} {v} {BEGAN + s}.000' for v, s in ((100, 0), (101.25, 60), (103, 120))]
    assert out.splitlines() == [*expected, "# EOF"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import", "nowhere.jsonl"], "nowhere.jsonl: No such file or directory"),
        (["import", "bad.jsonl"], "bad.jsonl: line 3: expected a JSON object ("),
        (["export", "--match", "up["], "--match"),
        (["export", "--match", "up + 1"], "is no selector"),
        (["export", "--since", "tuesday"], "write 7d (so long ago), Unix seconds or 2026-01-01T00:00:00Z"),
        (["export", "--format", "promtool"], "promtool reads openmetrics"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(sentinel: Sentinel, house: Database, arguments: list[str], says: str) -> None:
    """In a sentence."""
    Path("bad.jsonl").write_text(LINES + "\nnonsense\n")
    code, _, err = sentinel("db", *arguments)
    assert code == 2
    assert says in " ".join(err.replace("│", " ").split())


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_history_goes_to_prometheus_and_comes_back(sentinel: Sentinel, tmp_path: Path) -> None:
    """With promtool's own tools: every sample of every series, to the last bit."""
    Path("past.jsonl").write_text(past())
    code, out, _ = sentinel("db", "import", "past.jsonl")
    assert (code, out) == (0, "4,803 samples taken\n")
    Path("out.om").write_text(sentinel("db", "export", "--format", "openmetrics")[1])
    Path("data", "wal").mkdir(parents=True)  # promtool looks for one
    promtool("create-blocks-from", "openmetrics", "out.om", "data")
    dumped = promtool("dump", "data")
    assert len(dumped.splitlines()) == 4802  # the mark of an end cannot be said
    (tmp_path / "sentinel.db").rename(tmp_path / "before.db")
    Path("dump.txt").write_text(dumped)
    assert sentinel("db", "import", "dump.txt")[1] == "4,802 samples taken\n"
    assert points(sentinel("db", "export")[1]) == points(past())


def past() -> str:
    """Return a few hours of history with all that is awkward in numbers."""
    numbers = random.Random(5)
    odd = ["NaN", "Infinity", "-Infinity", 5e-324, 1.7976931348623157e308, -0.0, 0.1 + 0.2, 2**53 + 0.0, 1e21, 1e-7]
    awkward = [*odd, *(numbers.gauss(0, 1e6) for _ in range(2391))]
    counted = [float(number) for number in range(2401)]
    lines = []
    for name, values in (("awkward", awkward), ("sold_total", [*counted, None])):
        times = [BEGAN * 1000 + 15_123 * at for at in range(len(values))]
        metric = {"__name__": name, "said": 'a "b" \\ é\n', "job": "shop"}
        lines.append(json.dumps({"metric": metric, "values": values, "timestamps": times}))
    return "\n".join(lines)


def points(lines: str) -> set[tuple[str, int, str]]:
    """Return each sample but the marks of ends, however lines are cut; 0 and -0 differ, a NaN is a NaN."""
    return {
        (metric, ts, repr(float(value)))
        for line in map(json.loads, lines.splitlines())
        for metric in [json.dumps(line["metric"], sort_keys=True)]
        for ts, value in zip(line["timestamps"], line["values"], strict=True)
        if value is not None
    }


def promtool(*words: str) -> str:
    """Run `promtool tsdb`."""
    ran = subprocess.run(["promtool", "tsdb", *words], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_database_that_somebody_holds_is_not_written_behind_their_back(sentinel: Sentinel, tmp_path: Path) -> None:
    """The agent is asked; where it does not answer, nothing is done."""
    held = Database.open(f"sqlite:///{tmp_path / 'sentinel.db'}")
    Path("past.jsonl").write_text(LINES)
    code, _, err = sentinel("db", "import", "past.jsonl")
    assert code == 3
    assert "no agent answers at http://127.0.0.1:1" in err
    held.close()


class FakeAgent(HttpReceiver):
    """Takes what an import brings; what a real one does with it, the tests of the web say."""

    def answer(self, request: Request) -> tuple[int, dict[str, str], object]:
        """Say that all of it was taken."""
        taken = sum(len(json.loads(line)["values"]) for line in request.body.splitlines())
        return 200, {}, {"samples": {"taken": taken}}


def test_a_running_agent_is_given_all_of_it_in_pieces_that_it_takes(
    sentinel: Sentinel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is a fraction of what a body may have, and together they are the file."""
    long = json.loads(LINES.splitlines()[0])
    long["values"], long["timestamps"] = [0.1] * 40_000, [BEGAN * 1000 + number for number in range(40_000)]
    Path("past.jsonl").write_text("\n".join([past(), json.dumps(long)]))
    with FakeAgent() as agent:
        monkeypatch.setenv("SENTINEL_URL", agent.url)
        assert sentinel("db", "import", "past.jsonl")[:2] == (0, "44,803 samples taken\n")
    bodies = [request.body.decode() for request in agent.requests]
    assert {request.path for request in agent.requests} == {"/api/import"}
    assert len(bodies) > 2
    assert max(map(len, bodies)) <= 256 * 1024
    assert points("".join(bodies)) == points(Path("past.jsonl").read_text())
    assert not Path("sentinel.db").exists()
