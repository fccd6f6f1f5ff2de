"""atheris looks for bytes that make `check` raise, hang or swell, and keeps what it finds.

`SENTINEL_FUZZ_SECONDS=900 pytest tests/chaos/test_fuzz_check.py -m chaos -n 0 -s` looks for longer.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.lint.test_fuzz import GROUP, TOKENS, files

SECONDS = int(os.environ.get("SENTINEL_FUZZ_SECONDS", "300"))
pytestmark = [pytest.mark.chaos, pytest.mark.timeout(SECONDS + 300)]


def test_nothing_that_stands_in_a_file_breaks_check(tmp_path: Path) -> None:
    """Begin with what the stories hold, and change it where that reaches new code."""
    if find_spec("atheris") is None:
        pytest.skip("atheris is not installed; it has no wheel for this Python")
    corpus, words = tmp_path / "corpus", tmp_path / "words.txt"
    corpus.mkdir()
    for at, text in enumerate([GROUP, *files()]):
        (corpus / str(at)).write_text(text)
    escaped = (word.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\x09") for word in TOKENS if word.strip())
    words.write_text("".join(f'"{word}"\n' for word in escaped if word.isascii()))
    options = [f"-max_total_time={SECONDS}", "-timeout=10", "-rss_limit_mb=1024", "-max_len=8192", f"-dict={words}"]
    command = [sys.executable, "-m", "tests.chaos.fuzz_check", *options, f"-artifact_prefix={tmp_path}/", str(corpus)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    print(done.stderr[-300:])
    assert done.returncode == 0, done.stderr[-5000:]
