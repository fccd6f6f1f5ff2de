"""What others put into their pipelines is run here, step by step, as their machines run it."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import pytest
import yaml

from sentinel.cli.quick import read

ROOT = Path(__file__).parents[2]
BAD = "groups:\n- name: a\n  rules:\n  - alert: Down\n    expr: up ==\n    labels: {severity: page}\n"
BIN = Path(sys.executable).parent


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Somebody's repository with a mistake in a rule file."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text(BAD)
    return tmp_path


def bash(script: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a step's script as runners do: the first command that fails ends it."""
    env = {**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}", **environ}
    command = ["bash", "-eo", "pipefail", "-c", script]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)


def action() -> dict[str, Any]:
    """Read the action."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
    return found


def test_the_action_annotates_lines_and_writes_a_summary(repository: Path) -> None:
    """Its check step, with each input as its default says; all problems are written as SARIF as well."""
    step = action()["runs"]["steps"][1]
    given = {name: str(one["default"]) for name, one in action()["inputs"].items()} | {"sarif": "found.sarif"}
    environ = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m[1]], value)
        for name, value in step["env"].items()
    }
    environ |= {"SENTINEL": str(BIN / "sentinel"), "GITHUB_STEP_SUMMARY": str(repository / "summary.md")}
    done = bash(step["run"], repository, **environ)
    assert done.returncode == 1, done.stderr
    assert "::error file=rules/a.yaml,line=5,endLine=5,col=14," in done.stdout
    assert "| error | `rules/a.yaml:5:14`" in (repository / "summary.md").read_text()
    assert '"ruleId": "group/invalid"' in (repository / "found.sarif").read_text()


#: pip as it is, but without a network: what the package needs is that of these tests.
OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_NO_CACHE_DIR": "1"}
PACKAGES = {"PYTHONPATH": sysconfig.get_paths()["purelib"], "PYTHONDONTWRITEBYTECODE": "1"}


def test_what_the_action_and_the_job_of_gitlab_install_checks(repository: Path, tmp_path: Path) -> None:
    """Its install step makes an environment of its own, and the program in it finds the mistake."""
    step = action()["runs"]["steps"][0]
    home = tmp_path / "home"
    given = {"PYTHON": sys.executable, "ACTION": str(sources(tmp_path)), "HOME_OF_SENTINEL": str(home)}
    assert step["env"].keys() == given.keys()
    done = bash(step["run"], repository, **given, **OFFLINE, **PACKAGES)
    assert done.returncode == 0, done.stderr
    done = bash(f"{home}/bin/sentinel check rules", repository, **PACKAGES)
    assert done.returncode == 1
    assert "group/invalid" in done.stdout

    # The job's first script, likewise: its image brings such an environment, without the package.
    job = yaml.safe_load((ROOT / "docs" / "gitlab-ci.yml").read_text())["sentinel-check"]
    subprocess.run(
        [home / "bin" / "python", "-m", "pip", "uninstall", "--quiet", "--yes", "sentinel-agent"], check=True
    )
    assert not (home / "bin" / "sentinel").exists()
    environ = {"PATH": f"{home}/bin:/usr/bin:/bin", "SENTINEL": given["ACTION"], **OFFLINE, **PACKAGES}
    done = bash("\n".join(job["before_script"]), repository, **environ)
    assert done.returncode == 0, done.stderr
    done = bash("\n".join(job["script"]), repository, **{**job["variables"], **environ})
    assert done.returncode == 1
    assert "group/invalid" in done.stdout


def sources(folder: Path) -> Path:
    """Copy what a package is built from, so that nothing is written into the checkout."""
    made = folder / "sources"
    shutil.copytree(ROOT, made, ignore=shutil.ignore_patterns(".*", "node_modules", "tests", "__pycache__", "*.pyc"))
    return made


def test_every_script_of_the_action_is_bash_and_names_its_inputs() -> None:
    """No input stands in a script, where it would be run: each comes through the environment."""
    known = action()["inputs"]
    for step in action()["runs"]["steps"]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        assert subprocess.run(["bash", "-n", "-c", step["run"]]).returncode == 0
        for value in step["env"].values():
            assert all(name in known for name in re.findall(r"inputs\.([\w-]+)", value))


def test_the_hooks_of_pre_commit_take_files(repository: Path) -> None:
    """pre-commit calls the entry with the files behind it; they are those of a tree's folders."""
    hooks = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert [hook["id"] for hook in hooks] == ["sentinel-check", "sentinel-check-fix"]
    for hook in hooks:
        assert re.search(hook["files"], "rules/a.yaml")
        assert re.search(hook["files"], "team/alerts/a.yml")
        assert not re.search(hook["files"], "deploy/compose.yaml")
        assert read(shlex.split(hook["entry"])[2:]) is not None
    done = bash(f"{hooks[0]['entry']} rules/a.yaml", repository)
    assert done.returncode == 1
    assert "group/invalid" in done.stdout


def test_the_example_for_gitlab_writes_a_report(repository: Path) -> None:
    """The job fails, and its report says why."""
    job = yaml.safe_load((ROOT / "docs" / "gitlab-ci.yml").read_text())["sentinel-check"]
    assert bash("\n".join(job["script"]), repository, **job["variables"]).returncode == 1
    bash("\n".join(job["after_script"]), repository, **job["variables"])
    report = Xml.parse(repository / job["artifacts"]["reports"]["junit"]).getroot()
    assert report.get("failures") == "1"
    assert "expected an expression" in str(report.find(".//failure").get("message"))  # type: ignore[union-attr]
