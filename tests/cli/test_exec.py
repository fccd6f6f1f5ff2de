"""`sentinel exec` around real commands, before a real agent, one that is down, one that hangs, one that refuses."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sentinel.cli import calls, main, wrapper
from sentinel.cli.wrapper import Wrapped, parse
from tests.cli.serving import Served, served

TREE = """
probes: {nightly: {heartbeat: {every: 1d, metrics: {rows_total: rows}}}, hourly: {heartbeat: {every: 1h}}}
notifiers: {people: {console: {}}}
"""
#: Nobody listens there.
DOWN = "http://127.0.0.1:9"


@dataclass
class Done:
    """What became of a command."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Try again at once; whoever needs a pause says so."""
    monkeypatch.setattr(calls, "PAUSES", (0.0, 0.0))
    for name in ("SENTINEL_TOKEN", "SENTINEL_TOKEN_FILE", "SENTINEL_LISTEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SENTINEL_URL", DOWN)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Return how `sentinel exec` is run: in this process, which spares a tenth of a second each."""

    def ran(*args: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["sentinel", "exec", *args])
        capfd.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capfd.readouterr()
        return Done(int(ended.value.code or 0), out, err)

    return ran


@dataclass
class Listener:
    """A server that answers as it is told, and what it was asked."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    hangs: bool = False
    released: threading.Event = field(default_factory=threading.Event)


@contextmanager
def listening(*answers: int) -> Iterator[Listener]:
    """Start one on a port of its own; it answers with these, then with 200."""
    listener = Listener(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            listener.asked.append((self.path, self.headers.get("authorization", ""), body))
            if listener.hangs:
                listener.released.wait(5)
                return
            self.send_response(listener.answers.pop(0) if listener.answers else 200)
            self.end_headers()
            self.wfile.write(b"some words")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    listener.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an agent that knows two jobs."""
    with served(tmp_path_factory.mktemp("agent"), TREE) as one:
        yield one


def test_a_run_is_told_from_start_to_end(agent: Served, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its start, its exit code, how long it took, the last it said; and numbers out of its last line."""
    monkeypatch.setenv("SENTINEL_URL", agent.url)
    done = run("nightly", "--", "sh", "-c", "echo hello; sleep 0.2; echo '{\"rows\": 7}'")
    assert (done.code, done.out, done.err) == (0, 'hello\n{"rows": 7}\n', "")
    agent.until(lambda: agent.agent.view.heartbeats["nightly"].successes)
    job = agent.agent.view.heartbeats["nightly"]
    assert (job.exit_code, job.body, dict(job.metrics), dict(job.started_at)) == (0, done.out, {"rows_total": 7}, {})
    assert job.last_duration
    assert 0 < job.last_duration.total_seconds() < 5
    done = run("nightly", "sh", "-c", "echo no space left >&2; exit 3")
    assert (done.code, done.out, done.err) == (3, "", "no space left\n")
    agent.until(lambda: agent.agent.view.heartbeats["nightly"].failures)
    job = agent.agent.view.heartbeats["nightly"]
    assert (job.exit_code, job.body) == (3, "no space left\n")


def test_runs_that_overlap_are_told_apart(agent: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run has an id of its own."""
    monkeypatch.setenv("SENTINEL_URL", agent.url)
    both = [
        threading.Thread(target=lambda one=one: (one.begin(), one._starting.join()))
        for one in (calls.Calls("hourly", os.environ), calls.Calls("hourly", os.environ))
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    agent.until(lambda: len(agent.agent.view.heartbeats["hourly"].started_at) == 2)


def test_a_job_that_the_agent_does_not_know_runs_all_the_same(
    agent: Served, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And standard error says what is near."""
    monkeypatch.setenv("SENTINEL_URL", agent.url)
    done = run("nihgtly", "--", "sh", "-c", "echo ran; exit 5")
    assert (done.code, done.out) == (5, "ran\n")
    assert "nobody was told how nihgtly went" in done.err
    assert 'answers 404: not found: there is no heartbeat "nihgtly"; did you mean "nightly"?' in done.err


@pytest.mark.parametrize(
    ("command", "code"),
    [
        pytest.param("exit 0", 0, id="well"),
        pytest.param("exit 255", 255, id="the greatest exit code"),
        pytest.param("kill -9 $$", 137, id="killed: 128 and 9"),
        pytest.param("kill -15 $$", 143, id="ended: 128 and 15"),
    ],
)
def test_the_exit_code_is_the_jobs(run: Run, command: str, code: int) -> None:
    """With an agent that is down, which standard error says once."""
    done = run("nightly", "--", "sh", "-c", f"echo ran; {command}")
    assert (done.code, done.out) == (code, "ran\n")
    assert done.err == (
        "sentinel: nobody was told how nightly went: no agent answers at http://127.0.0.1:9 (Connection refused)\n"
    )


def test_what_cannot_be_run_has_the_exit_codes_of_a_shell(run: Run) -> None:
    """127 and 126, and the reason; the agent is told it as a failure."""
    with listening() as listener, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENTINEL_URL", listener.url)
        done = run("nightly", "--", "no-such-program", "-x")
        assert (done.code, done.err) == (127, "sentinel: no-such-program: No such file or directory\n")
        assert run("nightly", "--", "/etc/passwd").code == 126
    assert [path.partition("?")[0] for path, _, _ in listener.asked] == ["/ping/nightly/127", "/ping/nightly/126"]
    assert listener.asked[0][2] == b"sentinel: no-such-program: No such file or directory\n"


def test_quiet_says_nothing_of_our_own(run: Run) -> None:
    """What the command says is not ours."""
    done = run("--quiet", "nightly", "--", "sh", "-c", "echo out; echo err >&2")
    assert (done.code, done.out, done.err) == (0, "out\n", "err\n")


def test_both_streams_in_one_file_stay_in_order(tmp_path: Path) -> None:
    """As under cron, which reads one pipe: line by line as without us, and byte for byte."""
    command = "for i in 1 2 3 4 5 6 7 8 9; do echo out $i; echo err $i >&2; done; printf '\\377\\000\\r'"
    expected = b"".join(b"out %d\nerr %d\n" % (i, i) for i in range(1, 10)) + b"\xff\x00\r"
    before = os.dup(1), os.dup(2)
    with (tmp_path / "mail").open("wb") as mail:
        os.dup2(mail.fileno(), 1)
        os.dup2(mail.fileno(), 2)
        try:
            code = wrapper.run(Wrapped("nightly", ("sh", "-c", command), quiet=True), {"SENTINEL_URL": DOWN})
        finally:
            for stream, saved in zip((1, 2), before, strict=True):
                os.dup2(saved, stream)
                os.close(saved)
    assert code == 0
    assert (tmp_path / "mail").read_bytes() == expected


def test_a_reader_that_goes_away_ends_the_job_as_it_would_without_us(run: Run) -> None:
    """`sentinel exec … | head`: the command's own pipe breaks."""
    read, written = os.pipe()
    before = os.dup(1)
    os.dup2(written, 1)
    os.close(read)
    try:
        done = run("--quiet", "nightly", "--", "sh", "-c", "while echo y; do :; done")
    finally:
        os.dup2(before, 1)
        for each in (before, written):
            os.close(each)
    assert done.code == 128 + signal.SIGPIPE


def test_streams_that_are_closed_hold_no_job() -> None:
    """`>&- 2>&-`, as some schedulers start what they run: the job runs, and its exit code comes through."""
    code = "import sys; from sentinel.cli import calls, main; calls.PAUSES = (); main()"
    command = [sys.executable, "-c", code, "exec", "nightly", "--", "sh", "-c", "echo y; echo n >&2; exit 6"]
    closed = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *command]
    assert subprocess.run(closed, timeout=30).returncode == 6


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "USR1"])
def test_a_signal_is_sent_on(run: Run, name: str) -> None:
    """The command decides what it means; here it is the command that sends it to us."""
    number = signal.Signals[f"SIG{name}"]
    before = signal.signal(number, signal.SIG_DFL)  # what runs the tests may ignore it, and what is ignored stays so
    script = f"trap 'echo got it; exit 7' {name}; kill -{name} $PPID; while :; do sleep 0.01; done"
    try:
        done = run("nightly", "--", "sh", "-c", script)
    finally:
        signal.signal(number, before)
    assert (done.code, done.out) == (7, "got it\n")


def test_handlers_are_put_back(run: Run) -> None:
    """Whatever was there before."""
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)]
    run("nightly", "--", "true")
    assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD)] == before


def test_a_job_that_takes_too_long_is_ended_with_all_that_it_started(run: Run) -> None:
    """124, as timeout(1) has it, and the agent hears why."""
    with listening() as listener, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SENTINEL_URL", listener.url)
        done = run("--timeout", "100ms", "nightly", "--", "sh", "-c", "sleep 60 & sleep 60")
    assert done.code == 124
    assert done.err == "sentinel: it ran for more than 0.1 s, and is ended\n"
    assert listener.asked[-1][0].startswith("/ping/nightly/124?rid=")
    assert listener.asked[-1][2] == done.err.encode()


def test_a_job_that_does_not_listen_is_killed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """SIGTERM first, then SIGKILL."""
    monkeypatch.setattr(wrapper, "_GRACE_SECONDS", 0.1)
    assert run("--timeout=50ms", "nightly", "--", "sh", "-c", "trap '' TERM; while :; do sleep 0.01; done").code == 124


def test_what_a_job_leaves_behind_does_not_hold_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process in the background that keeps the output open."""
    monkeypatch.setattr(wrapper, "_AFTER_SECONDS", 0.1)
    done = run("nightly", "--", "sh", "-c", "sleep 3 & echo done")
    assert (done.code, done.out) == (0, "done\n")


def test_the_end_is_told_again_until_it_is_taken(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that restarts just then loses nothing; start and end are calls of one run."""
    with listening(503, 200, 503, 502) as listener:
        monkeypatch.setenv("SENTINEL_URL", listener.url + "/sentinel/")
        assert run("nightly", "--", "sleep", "0.3").err == ""
    words = [path.partition("?")[0] for path, _, _ in listener.asked]
    assert words == [f"/sentinel/ping/nightly/{word}" for word in ("start", "start", "0", "0", "0")]
    assert len({path.partition("?rid=")[2] for path, _, _ in listener.asked}) == 1


def test_a_call_that_is_refused_is_not_repeated(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token that is missing will be missing in a second, too."""
    with listening(401, 401) as listener:
        monkeypatch.setenv("SENTINEL_URL", listener.url)
        assert "answers 401: some words" in run("nightly", "--", "sleep", "0.2").err
    assert len(listener.asked) == 2


def test_an_agent_that_hangs_holds_no_job(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each try ends by itself; the job is long done."""
    monkeypatch.setattr(calls, "TIMEOUT_SECONDS", 0.1)
    with listening() as listener:
        listener.hangs = True
        monkeypatch.setenv("SENTINEL_URL", listener.url)
        done = run("nightly", "--", "echo", "ran")
        listener.released.set()
    assert (done.code, done.out) == (0, "ran\n")
    assert "timed out" in done.err


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("SENTINEL_URL", "sentinel:9160", "SENTINEL_URL should be such as http://127.0.0.1:9160"),
        ("SENTINEL_LISTEN", "here", '"here" should be HOST:PORT'),
        ("SENTINEL_TOKEN_FILE", "/no/such/file", "SENTINEL_TOKEN_FILE: /no/such/file cannot be read"),
    ],
)
def test_a_wrong_setting_holds_no_job(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: str
) -> None:
    """It is said, and the job runs."""
    monkeypatch.setenv("SENTINEL_URL", DOWN if "TOKEN" in variable else "")
    monkeypatch.setenv(variable, value)
    done = run("nightly", "--", "echo", "ran")
    assert (done.code, done.out) == (0, "ran\n")
    assert words in done.err


def test_the_token_stands_in_no_output_that_is_sent(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent as a header; a job that prints its environment does not tell it. The end is sent, by whole lines."""
    (tmp_path / "token").write_text("s3cret-token\n")
    script = "i=0; while [ $i -lt 2000 ]; do echo line $i s3cret-token; i=$((i+1)); done"
    with listening() as listener:
        monkeypatch.setenv("SENTINEL_URL", listener.url)
        monkeypatch.setenv("SENTINEL_TOKEN_FILE", str(tmp_path / "token"))
        run("nightly", "--", "sh", "-c", script)
        monkeypatch.delenv("SENTINEL_TOKEN_FILE")
        monkeypatch.setenv("SENTINEL_TOKEN", "another-token")
        run("--no-output", "nightly", "--", "sh", "-c", "echo $SENTINEL_TOKEN")
    (_, authorization, said), (_, other, nothing) = (call for call in listener.asked if "/start?" not in call[0])
    assert (authorization, other, nothing) == ("Bearer s3cret-token", "Bearer another-token", b"")
    assert b"s3cret" not in said
    assert said.startswith(b"line ")
    assert said.endswith(b"line 1999 ***\n")
    assert 9_000 < len(said) <= calls.BODY_LIMIT


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["a", "--", "ls", "-l"], Wrapped("a", ("ls", "-l"))),
        (["a", "ls", "--", "x"], Wrapped("a", ("ls", "--", "x"))),
        (["--quiet", "--timeout", "1h", "a", "--", "ls"], Wrapped("a", ("ls",), 3600.0, quiet=True)),
        (["--timeout=30s", "--no-output", "a", "ls"], Wrapped("a", ("ls",), 30.0, output=False)),
        (["a", "--timeout", "1h", "--quiet", "--", "ls"], Wrapped("a", ("ls",), 3600.0, quiet=True)),
        (["a", "--quiet", "ls", "--quiet"], Wrapped("a", ("ls", "--quiet"), quiet=True)),
        (["a", "--", "--help"], Wrapped("a", ("--help",))),
        (["a", "--help", "--", "ls"], None),
        (["", "ls"], None),
        ([], None),
        (["a"], None),
        (["a", "--"], None),
        (["--help"], None),
        (["--timeout"], None),
        (["--timeout", "5", "a", "ls"], None),
        (["--timeout", "0s", "a", "ls"], None),
        (["--loud", "a", "ls"], None),
    ],
)
def test_arguments(argv: list[str], expected: Wrapped | None) -> None:
    """What is not understood is left to the parser of all commands, which says what is wrong with it."""
    assert parse(argv) == expected


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["--timeout", "5", "a", "ls"], '--timeout: "5" has no unit; write 5s, 5m or 5h'),
        (["a"], "Missing argument 'command'"),
        (["--loud", "a", "ls"], "No such option: --loud"),
        (["a", "--loud", "--", "touch", "made"], "No such option: --loud"),
    ],
)
def test_arguments_that_cannot_be_meant(run: Run, args: list[str], words: str) -> None:
    """Exit code 2, before anything is run."""
    done = run(*args)
    assert done.code == 2
    assert words in done.err
    assert not Path("made").exists()


def test_a_run_imports_next_to_nothing() -> None:
    """It is in the way of every run: no parser, no settings, no client."""
    code = """
import sys
from sentinel.cli import calls, main
calls.PAUSES = ()
sys.argv = ["sentinel", "exec", "--quiet", "nightly", "--", "true"]
try:
    main()
finally:
    heavy = {"typer", "click", "rich", "pydantic", "httpx", "uuid", "asyncio", "sentinel.settings"}
    print(sorted(heavy & set(sys.modules)), len(sys.modules))
"""
    environ = {**os.environ, "SENTINEL_URL": DOWN}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert done.stdout.startswith("[] "), done.stdout + done.stderr
