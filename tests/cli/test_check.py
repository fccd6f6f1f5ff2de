"""`sentinel check` as a process: quick, light, and with an exit code that scripts can trust."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sentinel.cli import main

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "sqlmodel",
    "sqlalchemy",
    "httpx",
    "fastapi",
    "uvicorn",
    "slack_sdk",
    "sentry_sdk",
    "aiosmtplib",
)
Check = Callable[..., tuple[int, str]]
GOOD = "rules: {deep: {last: queue_depth, above: 5, severity: error}}\n"


@pytest.fixture
def check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Return how the command is run in this process, in a folder: its exit code and what it said."""

    def run(folder: Path, *words: str) -> tuple[int, str]:
        monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["sentinel", "check", *words])
        monkeypatch.setattr(gc, "disable", lambda: None)
        with pytest.raises(SystemExit) as end:
            main()
        said = capsys.readouterr()
        code = end.value.code
        assert isinstance(code, int)
        return code, said.out + said.err

    return run


def sentinel(*words: str, cwd: Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command itself."""
    command = [sys.executable, "-m", "sentinel", *words]
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        pytest.param(GOOD, [], 0, id="well"),
        pytest.param("rules: {deep: {last: queue_depth}}", [], 1, id="an error"),
        pytest.param("rules: [", [], 1, id="no YAML"),
        pytest.param("# nothing", [], 0, id="a warning"),
        pytest.param("# nothing", ["--strict"], 1, id="a warning, strictly"),
        pytest.param(None, [], 2, id="no such path"),
        pytest.param(GOOD, ["--wrong"], 2, id="a wrong option"),
    ],
)
def test_the_exit_code_says_how_it_went(
    text: str | None, options: list[str], code: int, tmp_path: Path, check: Check
) -> None:
    """0 well, 1 something is wrong inside a file, 2 bad arguments or a path that cannot be read."""
    if text is not None:
        (tmp_path / "r.yaml").write_text(text)
    assert check(tmp_path, *options, "r.yaml")[0] == code


def test_it_imports_nothing_heavy() -> None:
    """Checking the shipped tree, packs included, needs neither database nor SDK nor server."""
    code = (
        "import sys\nfrom sentinel.cli import main\n"
        "sys.argv = ['sentinel', 'check', 'rules', 'rules/packs', 'probes/packs', 'notifiers/packs', 'examples/shop']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print('heavy:', [name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("heavy: []\n"), done.stdout + done.stderr


def test_rule_files_need_no_models_and_no_typer(tmp_path: Path) -> None:
    """A thousand rules of Prometheus are checked in the time that importing these takes."""
    (tmp_path / "r.yaml").write_text(
        "groups: [{name: a, rules: [{alert: A, expr: up == 0, labels: {severity: page}}]}]"
    )
    light = ("pydantic", "pydantic_core", "typer", "click", "jinja2", "re2", *HEAVY)
    code = (
        "import sys\nfrom sentinel.cli import main\nsys.argv = ['sentinel', 'check', 'r.yaml']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        f"print('heavy:', [name for name in {light!r} if name in sys.modules])\n"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.stdout.endswith("heavy: []\n"), done.stdout + done.stderr


@pytest.mark.parametrize("folder", ["probes", "rules", "notifiers", "examples/shop"])
def test_what_is_shipped_is_well(folder: str, check: Check) -> None:
    """Not even a warning."""
    code, said = check(ROOT, "--strict", folder)
    assert code == 0, said


def test_the_packs_are_well_together(check: Check) -> None:
    """All that is missing is what they need of the environment, and the routes, which are for their users to write."""
    _, said = check(ROOT, "--format", "json", "rules/packs", "probes/packs", "notifiers/packs")
    assert {problem["check"] for problem in json.loads(said)["problems"]} == {
        "config/undefined",
        "notifier/unused",
    }


def test_without_a_path_it_is_the_agents_own_tree(tmp_path: Path) -> None:
    """The folders here."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text("rules: {deep: {last: queue_depth}}")
    done = sentinel("check", cwd=tmp_path)
    assert done.returncode == 1
    assert "rules/r.yaml:1:9" in done.stdout


def test_a_plugin_that_cannot_be_imported_is_a_problem_of_its_first_use(tmp_path: Path) -> None:
    """Other people's mistakes do not stop the check."""
    packages = tmp_path / "packages"
    info = packages / "acme_probes-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-probes\nVersion: 1.2\n")
    (info / "entry_points.txt").write_text("[sentinel.probes]\nkafka = acme_probes:Kafka\n")
    (packages / "acme_probes.py").write_text("import a_module_that_is_not_there\n")
    (tmp_path / "p.yaml").write_text("probes:\n  broker: {kafka: {}}\n  shop: {kafkaa: {}}\n")
    done = sentinel("check", "p.yaml", cwd=tmp_path, env={"PYTHONPATH": f"{packages}:{ROOT}", "PATH": "/usr/bin:/bin"})
    assert done.returncode == 1, done.stderr
    assert '"kafka" of acme-probes 1.2 cannot be imported' in done.stdout
    assert 'did you mean "kafka"?' in done.stdout
