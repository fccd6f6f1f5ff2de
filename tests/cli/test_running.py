"""`sentinel run`, plain: as the environment says, with what an agent needs and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CODE = """
import sys
from sentinel.cli import main, running
async def began(settings):
    print(settings.name, sorted({"typer", "rich", "shellingham"} & set(sys.modules)))
running._run = began
sys.argv = ["sentinel", "run"]
main()
"""


def plain(**environ: str) -> subprocess.CompletedProcess[str]:
    """Run it in a process of its own, up to where the agent would begin."""
    return subprocess.run([sys.executable, "-c", CODE], env=environ, capture_output=True, text=True)


def test_an_agent_holds_no_parser_of_arguments() -> None:
    """Typer takes more than a megabyte of each agent; only options need it."""
    done = plain(SENTINEL_NAME="shop")
    assert (done.returncode, done.stdout) == (0, "shop []\n"), done.stderr


def test_a_wrong_setting_is_said_as_ever() -> None:
    """In one sentence, with the exit code of wrong arguments."""
    done = plain(SENTINEL_LISTEN="nowhere")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("sentinel: ")
    assert "SENTINEL_LISTEN" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_tree_that_was_never_good_has_its_exit_code(tmp_path: Path) -> None:
    """With its carets, and with options as without."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "a.yaml").write_text("rules: {a: {las: b}}\n")
    for options in ([], ["--listen", "127.0.0.1:0"]):
        done = subprocess.run(
            [sys.executable, "-m", "sentinel", "run", *options],
            env={"SENTINEL_LISTEN": "127.0.0.1:0"},
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 1
        assert "cannot start: 1 error" in done.stderr
