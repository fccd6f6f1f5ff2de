"""What the documentation says is so: pages are fresh, examples are valid, the README's commands run."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.inside import sentinel
from tests.e2e.process import free_port

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
#: What examples take from the environment.
SECRETS = {
    "SENTRY_DSN": "https://key@sentry.example.com/7",
    "SMTP_PASSWORD": "x",
    "SLACK_BOT_TOKEN": "x",
    "SLACK_WEBHOOK": "https://hooks.slack.com/services/T0/B0/x",
    "WEBHOOK_URL": "https://hooks.example.com/services/1",
    "WEBHOOK_SECRET": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
}


def _builder() -> Any:
    spec = importlib.util.spec_from_file_location("docs_build", ROOT / "docs" / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pages_made_from_the_code_are_fresh() -> None:
    """`make docs` would change nothing."""
    stale = [name for name, text in _builder().pages().items() if (ROOT / "docs" / name).read_text() != text]
    assert not stale, f"run `make docs`: {stale}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """Every relative link of a page names a file that exists."""
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text())
    assert not [link for link in links if "://" not in link and not (page.parent / link).exists()]


def _examples() -> list[Any]:
    found = []
    for page in PAGES:
        for at, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
            found.append(pytest.param(block, id=f"{page.name}-{at}"))
    return found


@pytest.mark.parametrize("block", _examples())
def test_every_example_passes_the_check(block: str, tmp_path: Path) -> None:
    """An example that is pasted into a file is accepted, whatever stands around it."""
    (tmp_path / "example.yaml").write_text(block)
    done = sentinel("check", "example.yaml", cwd=tmp_path, **SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_two_commands_are_targets_of_the_makefile() -> None:
    """The README names them, the Makefile has them, and `make test` runs every tool."""
    makefile = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in (ROOT / "README.md").read_text()
        assert f"\n{target}: " in makefile
    for tool in ("ruff format --check", "ruff check", "mypy", "lint-imports", "pytest"):
        assert tool in makefile


@pytest.mark.timeout(120)
@pytest.mark.skipif(not shutil.which("curl"), reason="needs curl")
def test_the_tour_works_when_pasted(tmp_path: Path) -> None:
    """Every command of the README's tour, in one shell; only ports and the folder differ."""
    readme = (ROOT / "README.md").read_text()
    tour = readme[readme.index("## A tour") : readme.index("## A rule")]
    script = "\n".join(re.findall(r"```sh\n(.*?)```", tour, re.DOTALL))
    agent, site = free_port(), free_port()
    for old, new in {
        "make .venv/ready\n": "",
        'export PATH="$PWD/.venv/bin:$PATH"': f'export PATH="{Path(sys.executable).parent}:$PATH"',
        "/tmp/sentinel-tour": str(tmp_path / "tour"),
        "9160": str(agent),
        " 8000 ": f" {site} ",
    }.items():
        assert old in script
        script = script.replace(old, new)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SENTINEL_")}
    environ |= {"SENTINEL_LISTEN": f"127.0.0.1:{agent}", "WEBSITE_URL": f"http://127.0.0.1:{site}/health"}
    done = subprocess.run(["bash", "-eu"], input=script, env=environ, cwd=ROOT, capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert 'did you mean "above"?' in said
    assert "exit code 1" in said
    assert "website-down" in said
    assert "CRITICAL" in said
    assert said.rstrip().splitlines()[-1].startswith("Nothing"), said[-500:]
