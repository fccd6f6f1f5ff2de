"""Clients of healthchecks.io and the one-liners of our documentation, unchanged, against a real server."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Template
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml
from healthchecks_decorator import healthcheck

from sentinel.core.heartbeat import Heartbeat
from tests.cli.serving import Served, served

ROOT = Path(__file__).parent.parent.parent
UUID = "f3a1b2c4-5d6e-4f70-8a9b-0c1d2e3f4a5b"
TREE = f"""
probes:
  nightly-backup: {{heartbeat: {{cron: "0 2 * * *"}}}}
  import: {{heartbeat: {{every: 10m, metrics: {{import_rows: rows}}}}}}
  checked: {{heartbeat: {{every: 1d, uuid: {UUID}}}}}
  orders: {{heartbeat: {{every: 1h}}}}
notifiers: {{people: {{console: {{}}}}}}
"""
PAGE = (ROOT / "docs" / "heartbeats.md").read_text()
SHELL = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
PYTHON, CELERY = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
[CRONTAB] = re.findall(r"### cron\n\n```\n(.*?)```", PAGE, re.DOTALL)
UNITS = re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL)
[WORKFLOW] = re.findall(r"```yml\n(.*?)```", PAGE, re.DOTALL)
needs_curl = pytest.mark.skipif(not (shutil.which("curl") and shutil.which("wget")), reason="needs curl and wget")


@pytest.fixture(scope="module")
def agent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return an agent that knows the jobs of the page."""
    with served(tmp_path_factory.mktemp("agent"), TREE) as one:
        yield one


def job(agent: Served, name: str) -> Heartbeat:
    """Return what is on disk of a job."""
    with agent.agent.database.read() as tx:
        found = tx.heartbeats.get(name)
    assert found
    return found


@needs_curl
@pytest.mark.parametrize(
    "script", [pytest.param(block, id=block.splitlines()[0][:30]) for block in SHELL if "sentinel exec" not in block]
)
def test_the_one_liners_of_the_page_work(agent: Served, script: str, tmp_path: Path) -> None:
    """Each block as it stands; only the host and the command differ. Every one of them tells of one success."""
    before = job(agent, "nightly-backup")
    backup = tmp_path / "backup"
    backup.write_text("#!/bin/sh\necho saved 7 files\n")
    backup.chmod(0o755)
    script = script.replace("http://sentinel:9160", agent.url).replace("/usr/local/bin/backup", str(backup))
    done = subprocess.run(["sh", "-u"], input=script, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    after = job(agent, "nightly-backup")
    assert (after.successes, after.failures) == (before.successes + 1, before.failures)
    assert dict(after.started_at) == {}
    if "/start" in script:
        assert after.last_duration is not None
    if "data-raw" in script:
        assert after.body == "saved 7 files"


#: As healthchecks.io's own pages have them; PING_URL is a check's address.
THEIRS = {
    "curl -m 10 --retry 5 PING_URL": (1, 0),
    "curl -fsS -m 10 --retry 5 -o /dev/null PING_URL": (1, 0),
    "false; curl -m 10 --retry 5 PING_URL/$?": (0, 1),
    'm=$(echo renewed 2>&1); curl -fsS --retry 3 -X POST --data-raw "$m" PING_URL': (1, 0),
    'm=$(false 2>&1); curl -fsS -X POST --data-raw "$m" "PING_URL$([ $? -ne 0 ] && echo -n /fail)"': (0, 1),
    "wget PING_URL -T 10 -t 5 -O /dev/null": (1, 0),
    "head -c 3000000 /dev/zero | curl -fsS --data-binary @- PING_URL": (1, 0),
    "curl -fsS -I PING_URL": (1, 0),
    "curl -fsS PING_URL/": (1, 0),
}


@needs_curl
def test_their_one_liners_work_with_another_host(agent: Served) -> None:
    """By UUID, as they stand."""
    for line, (successes, failures) in THEIRS.items():
        before = job(agent, "checked")
        script = line.replace("PING_URL", f"{agent.url}/ping/{UUID}")
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True)
        assert done.returncode == 0, (line, done.stderr)
        after = job(agent, "checked")
        assert (after.successes - before.successes, after.failures - before.failures) == (successes, failures), line


def test_their_decorator_works(agent: Served) -> None:
    """healthchecks-decorator of PyPI: start, success with what was returned, failure."""

    @healthcheck(url=f"{agent.url}/ping/{UUID}", send_start=True, send_diagnostics=True)
    def works() -> dict[str, int]:
        return {"rows": 7}

    @healthcheck(url=f"{agent.url}/ping/{UUID}", send_start=True)
    def breaks() -> None:
        raise RuntimeError("no")

    before = job(agent, "checked")
    works()
    after = job(agent, "checked")
    assert (after.successes - before.successes, after.body) == (1, "rows=7")
    with pytest.raises(RuntimeError, match="no"):
        breaks()
    assert job(agent, "checked").failures == before.failures + 1
    assert job(agent, "checked").started_at == {}


def test_the_python_of_the_page_works(agent: Served) -> None:
    """As it stands, but for the host."""
    exec(PYTHON.replace("http://sentinel:9160", agent.url), {})
    assert job(agent, "import").metrics == {"import_rows": 1234}


@needs_curl
def test_the_cronjob_tells_exit_code_and_output(agent: Served, tmp_path: Path) -> None:
    """The script in deploy/cronjob.yaml, as its container would run it."""
    shell, wrapped = yaml.safe_load_all((ROOT / "deploy" / "cronjob.yaml").read_text())
    [container] = shell["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    backup = tmp_path / "backup"
    backup.write_text("#!/bin/sh\necho disk full >&2\nexit 3\n")
    backup.chmod(0o755)
    script = container["args"][0].replace("/usr/local/bin/backup", str(backup))
    environ = {**os.environ, "PING": f"{agent.url}/ping/nightly-backup", "TOKEN": "x"}
    before = job(agent, "nightly-backup")
    done = subprocess.run([*container["command"], script], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "disk full\n")
    after = job(agent, "nightly-backup")
    assert (after.failures, after.exit_code, after.body) == (before.failures + 1, 3, "disk full")
    from sentinel.cli.wrapper import Wrapped, parse

    [container] = wrapped["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    asked = [*container["command"], *container["args"]]
    assert asked[:2] == ["sentinel", "exec"]
    assert parse(asked[2:]) == Wrapped("import", ("python", "-m", "shop.import"), 540.0)


def backup(folder: Path, code: int) -> str:
    """Return the path of a backup that ends with an exit code."""
    script = folder / "backup"
    script.write_text(f"#!/bin/sh\necho saved 7 files\nexit {code}\n")
    script.chmod(0o755)
    return str(script)


def ours(text: str, agent: Served, folder: Path, code: int) -> str:
    """Return a text of the page with our agent, our command and our job."""
    program = str(Path(sys.executable).parent / "sentinel")
    text = text.replace("http://sentinel:9160", agent.url).replace("/usr/local/bin/sentinel", program)
    return text.replace("/usr/local/bin/backup", backup(folder, code))


def environ(**more: str) -> dict[str, str]:
    """Return an environment in which `sentinel` is found, and knows of no agent."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")}
    return {**known, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", **more}


@pytest.mark.parametrize("code", [0, 3])
def test_the_crontab_of_the_page_tells_of_a_run(agent: Served, tmp_path: Path, code: int) -> None:
    """Its settings, and its line without time and user, as cron runs it."""
    token = tmp_path / "push-token"
    token.write_text("x")
    *settings, line = ours(CRONTAB, agent, tmp_path, code).splitlines()
    given = dict(one.split("=", 1) for one in settings)
    assert given["SENTINEL_TOKEN_FILE"] == "/etc/sentinel/push-token"
    before = job(agent, "nightly-backup")
    done = subprocess.run(
        ["sh", "-c", line.split(None, 6)[6]],
        env=environ(**{**given, "SENTINEL_TOKEN_FILE": str(token)}),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (code, "saved 7 files\n", "")
    after = job(agent, "nightly-backup")
    assert (after.successes + after.failures, after.exit_code) == (before.successes + before.failures + 1, code)


@needs_curl
@pytest.mark.parametrize("code", [0, 3])
@pytest.mark.parametrize("unit", UNITS, ids=["sentinel exec", "curl"])
def test_the_units_of_the_page_tell_of_a_run(agent: Served, tmp_path: Path, unit: str, code: int) -> None:
    """Each command as systemd.service(5) says that it is run: no shell, `-` forgives, `${NAME}` is put in."""
    read = configparser.ConfigParser(interpolation=None)
    read.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's reference has it
    read.read_string(ours(unit, agent, tmp_path, code))
    service = read["Service"]
    given = environ(**dict([service["Environment"].split("=", 1)]))
    before = job(agent, "nightly-backup")
    for key in ("ExecStartPre", "ExecStart", "ExecStopPost"):
        if key in service:
            argv = [Template(word).safe_substitute(given) for word in shlex.split(service[key].removeprefix("-"))]
            done = subprocess.run(argv, env=given, capture_output=True, text=True)
            assert done.returncode == (code if key == "ExecStart" else 0), done.stderr
            given["SERVICE_RESULT"] = "exit-code" if done.returncode else "success"
            assert key != "ExecStartPre" or job(agent, "nightly-backup").started_at
    after = job(agent, "nightly-backup")
    assert (after.successes - before.successes, after.failures - before.failures) == ((0, 1) if code else (1, 0))
    assert after.last_duration is not None
    assert dict(after.started_at) == {}


@needs_curl
@pytest.mark.parametrize("code", [0, 3])
def test_the_workflow_of_the_page_tells_of_a_run(agent: Served, tmp_path: Path, code: int) -> None:
    """Each step as GitHub runs it: `bash -e`, expressions put in before; after a failure only what is for always."""
    script = tmp_path / "import.sh"
    script.write_text(f"exit {code}\n")
    script.chmod(0o755)
    read = yaml.safe_load(WORKFLOW)
    assert read["env"] == {"PING": "${{ secrets.SENTINEL_PING }}"}
    given, status = environ(PING=f"{agent.url}/ping/{UUID}"), "success"
    before = job(agent, "checked")
    for step in read["jobs"]["import"]["steps"]:
        if "run" in step and (status == "success" or step.get("if") == "always()"):
            word = "0" if status == "success" else "fail"
            line = step["run"].replace("${{ job.status == 'success' && '0' || 'fail' }}", word)
            assert "${{" not in line
            done = subprocess.run(["bash", "-e", "-c", line], env=given, cwd=tmp_path, capture_output=True)
            status = "failure" if done.returncode else status
    after = job(agent, "checked")
    assert (after.successes - before.successes, after.failures - before.failures) == ((0, 1) if code else (1, 0))
    assert dict(after.started_at) == {}


def test_the_signals_of_the_page_tell_of_celerys_tasks(agent: Served) -> None:
    """As a worker of Celery sends them: start, success and failure, paired by the task's id."""
    # Celery has no types; imported by name, so that nobody's checker asks for them.
    start_worker: Any = import_module("celery.contrib.testing.worker").start_worker
    app: Any = import_module("celery").Celery("shop.tasks", broker="memory://", backend="cache+memory://")

    @app.task(name="shop.tasks.import_orders")  # type: ignore[untyped-decorator]
    def import_orders(rows: int) -> int:
        if not rows:
            raise ValueError("no rows")
        return rows

    told: dict[str, object] = {}
    exec(CELERY.replace("http://sentinel:9160", agent.url), told)
    with start_worker(app, pool="solo", perform_ping_check=False, loglevel="critical"):
        assert import_orders.delay(3).get(timeout=60) == 3
        with pytest.raises(ValueError, match="no rows"):
            import_orders.delay(0).get(timeout=60)
    found = job(agent, "orders")
    assert (found.successes, found.failures, found.body) == (1, 1, "ValueError('no rows')")
    assert found.last_duration is not None
    assert dict(found.started_at) == {}


def test_an_answer_can_be_read_by_any_client(agent: Served) -> None:
    """Plain text, and the limit of a body that clients cut theirs by."""
    with urlopen(Request(f"{agent.url}/ping/{UUID}", b"x")) as answer:
        assert (answer.status, answer.read(), answer.headers["Ping-Body-Limit"]) == (200, b"OK", "10000")
    with pytest.raises(HTTPError) as raised:
        urlopen(f"{agent.url}/ping/{UUID}/256")
    assert (raised.value.code, raised.value.read()) == (400, b"invalid url format")
