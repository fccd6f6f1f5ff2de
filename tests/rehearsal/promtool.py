"""Debian's promtool, asked about files; and ours, asked about the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from sentinel.config.load import inspect
from sentinel.rehearsal.promtool import run_file
from sentinel.rehearsal.result import Result
from tests.rehearsal.playing import NOW

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="needs promtool (Debian: prometheus)")


def theirs(folder: Path, names: Sequence[str]) -> dict[str, str]:
    """Return what promtool says of each file; one that fails has `FAILED` in it."""
    done = subprocess.run(
        ["promtool", "test", "rules", *names],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    parts = re.split(r"^Unit Testing:  (.*)\n", done.stdout, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def ours(folder: Path, name: str) -> list[Result] | None:
    """Return how each test of a file ends; None where the file itself is wrong."""
    config = inspect({name: (folder / name).read_text()}, {}, NOW).config
    if config is None:
        return None
    [file] = config.promtool
    return list(run_file(file, folder))


def passes(results: Sequence[Result] | None) -> bool:
    """Say whether a file passes."""
    return results is not None and all(result.passed for result in results)
