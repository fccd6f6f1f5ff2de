"""Commands as a user types them: real processes, exit codes, and sentences when something is wrong."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tests.e2e.nursery import ForkedAgent
from tests.e2e.process import free_port, until

TREE = """
probes: {nightly: {heartbeat: {every: 1h}}}
rules: {backup: {job: nightly, severity: error, summary: the backup is late}}
notifiers: {people: {console: {}}}
"""

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[ForkedAgent]:
    """Return an agent that is not started yet, on a good tree."""
    process = ForkedAgent(tmp_path)
    process.write("tree.yaml", TREE)
    yield process
    process.kill()


def sentinel(*arguments: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run one command."""
    return subprocess.run(
        [sys.executable, "-m", "sentinel", *arguments],
        cwd=cwd,
        env={**os.environ, "NO_COLOR": "1", **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def ended(agent: ForkedAgent) -> tuple[int, str]:
    """Start an agent that cannot start; return its exit code and what it said."""
    agent.start(ready=False)
    assert agent.process is not None
    return agent.process.wait(30), agent.logged()


def test_commands_ask_the_running_agent(agent: ForkedAgent) -> None:
    """Each answers in text and in JSON."""
    agent.start()
    assert "Nothing is wrong" in agent.cli("alerts").stdout
    assert json.loads(agent.cli("alerts", "--format", "json").stdout)["alerts"] == []
    assert "All is well" in agent.cli("status").stdout
    assert json.loads(agent.cli("status", "--format", "json").stdout)["agent"]["name"] == "test-agent"
    assert "compiles to" in agent.cli("explain", "backup").stdout
    assert agent.cli("explain", "bakcup").returncode == 2
    assert agent.cli("deliveries").returncode == 0
    assert agent.cli("deliveries", "retry", "nothing").returncode == 2
    assert "took the message" in agent.cli("notify", "test", "people").stdout
    assert agent.stop() == 0
    assert '"stopped"' in agent.logged()


def test_nobody_answers(tmp_path: Path) -> None:
    """Exit code 3, and a sentence that says where it was looked for."""
    answer = sentinel("alerts", cwd=tmp_path, SENTINEL_URL=f"http://127.0.0.1:{free_port()}")
    assert answer.returncode == 3
    assert "no agent answers at" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("level", ["info", "debug"])
def test_what_nobody_foresaw_is_one_sentence(tmp_path: Path, level: str) -> None:
    """An answer that no agent gives; the traceback is for those who ask for it."""
    with HTTPServer(("127.0.0.1", 0), _Odd) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        done = sentinel("status", cwd=tmp_path, SENTINEL_URL=url, SENTINEL_LOG_LEVEL=level)
        server.shutdown()
    assert done.returncode == 3
    assert "sentinel: a mistake of Sentinel's own: KeyError: 'verdict'; " in done.stderr
    assert ("Traceback" in done.stderr, len(done.stderr.splitlines()) == 1) == (level == "debug", level != "debug")


def test_a_port_in_use(agent: ForkedAgent) -> None:
    """Exit code 3, before anything is touched."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", agent.port))
        taken.listen()
        code, said = ended(agent)
    assert code == 3
    assert "cannot listen on" in said
    assert not (agent.folder / "sentinel.db").exists()


def test_a_database_that_another_agent_has(agent: ForkedAgent) -> None:
    """Exit code 3; the other one goes on."""
    agent.start()
    other = ForkedAgent(agent.folder)
    other.log = agent.folder / "other.log"
    code, said = ended(other)
    assert (code, "in use by another agent" in said) == (3, True)
    assert agent.get("/readyz", parse=False)
    agent.stop()


def test_a_database_that_is_locked(agent: ForkedAgent) -> None:
    """Exit code 3, and what to do."""
    agent.start()
    agent.stop()
    with closing(sqlite3.connect(agent.folder / "sentinel.db", isolation_level=None)) as held:
        held.execute("BEGIN EXCLUSIVE")
        code, said = ended(agent)
    assert (code, "is locked by another program" in said) == (3, True)


def test_a_database_of_a_newer_sentinel(agent: ForkedAgent) -> None:
    """Exit code 3, and nothing in it is changed."""
    agent.start()
    agent.stop()
    with closing(sqlite3.connect(agent.folder / "sentinel.db")) as newer, newer:
        newer.execute("UPDATE alembic_version SET version_num = '9999'")
    code, said = ended(agent)
    assert (code, "newer" in said) == (3, True)


@pytest.mark.parametrize(
    ("tree", "code", "says"),
    [
        pytest.param("rules: [", 1, "^", id="not YAML"),
        pytest.param("ruels: {}", 1, 'did you mean "rules"?', id="an unknown key"),
        pytest.param("rules: {x: {expr: 'sum(', severity: error}}", 1, "^", id="PromQL that does not parse"),
    ],
)
def test_a_tree_that_was_never_good(agent: ForkedAgent, tree: str, code: int, says: str) -> None:
    """Carets, and exit code 1."""
    agent.write("tree.yaml", tree)
    found, said = ended(agent)
    assert (found, says in said) == (code, True)


def test_a_path_that_is_not_there(agent: ForkedAgent) -> None:
    """Exit code 2."""
    agent.environ["SENTINEL_CONFIG"] = str(agent.folder / "nowhere")
    code, said = ended(agent)
    assert code == 2
    assert "no such file" in said


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        pytest.param("SENTINEL_LISTEN", "nonsense", "SENTINEL_LISTEN", id="no address"),
        pytest.param("SENTINEL_RETENTION", "5", "has no unit", id="a duration without a unit"),
        pytest.param("SENTINEL_LISTEN", "0.0.0.0:0", "SENTINEL_TOKEN", id="open to all, without a token"),
    ],
)
def test_a_setting_that_cannot_be(agent: ForkedAgent, name: str, value: str, says: str) -> None:
    """Exit code 2, and the setting is named."""
    agent.environ[name] = value
    code, said = ended(agent)
    assert (code, says in said) == (2, True)


def test_help_lists_every_setting(tmp_path: Path) -> None:
    """With its default."""
    from sentinel.settings import described

    said = sentinel("run", "--help", cwd=tmp_path).stdout
    assert [name for name, _, _ in described() if name not in said] == []


def test_a_starter_tree_passes_check(tmp_path: Path) -> None:
    """`init` writes it, `check` finds nothing wrong, and a second `init` overwrites nothing."""
    assert sentinel("init", cwd=tmp_path).returncode == 0
    checked = sentinel("check", cwd=tmp_path)
    assert (checked.returncode, checked.stdout.splitlines()[-1]) == (0, "3 files checked, nothing wrong")
    again = sentinel("init", cwd=tmp_path)
    assert (again.returncode, "there already" in again.stderr) == (2, True)
    assert sentinel("init", "--with", "nothing-such", "new", cwd=tmp_path).returncode == 2


def test_the_demo_begins_and_ends_cleanly(tmp_path: Path) -> None:
    """It shows where the page is, and leaves nothing behind."""
    answer = sentinel("demo", "--seconds", "3", cwd=tmp_path, TMPDIR=str(tmp_path))
    assert answer.returncode == 0, answer.stderr[-2000:]
    assert "The page      http://127.0.0.1:" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_first_look_comes_soon_after_the_start(agent: ForkedAgent) -> None:
    """Whatever else must be imported waits for it. The bound is wide: tests share their machine."""
    agent.write("tree.yaml", TREE + "  # probes\n")
    agent.write("probes.yaml", "probes: {own: {http: {url: 'http://127.0.0.1:9/'}}}\n")
    agent.start()
    status = until("it looked", lambda: _looked(agent))
    assert status["name"] == "own"
    agent.stop()


class _Odd(BaseHTTPRequestHandler):
    """Answers whatever is asked with an empty object."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _looked(agent: ForkedAgent) -> dict[str, str] | None:
    [probe] = agent.get("/api/status")["probes"]
    return probe if probe["looked_at"] else None
