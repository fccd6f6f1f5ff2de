"""Prometheus's own cases: all that speak of numbers pass, live and in between.

They are not ours to ship: `SENTINEL_PROMQLTEST` names the folder that holds the `.test` files.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.promql.promqltest import NativeHistogramRead, read, run

_FOLDER = os.environ.get("SENTINEL_PROMQLTEST", "")
_FILES = sorted(Path(_FOLDER).glob("*.test")) if _FOLDER else []

#: Uses start timestamps of samples, which are not stored here.
_LATER_FILES = {"start_timestamps"}


@pytest.mark.skipif(not _FILES, reason="SENTINEL_PROMQLTEST names no folder with .test files")
@pytest.mark.parametrize("path", _FILES, ids=[path.stem for path in _FILES])
def test_upstream_case_files_pass(path: Path) -> None:
    """Every float case of the file gives what Prometheus gives, as instant, within a range, and with @."""
    wrong, passed = [], 0
    for case in read(path):
        if case.later or case.file in _LATER_FILES:
            continue
        try:
            found = run(case)
        except NativeHistogramRead:
            continue
        if found and not case.native:
            wrong.append(f"{case.file}:{case.line}: {case.text}\n    " + "\n    ".join(found))
        passed += not found
    assert not wrong, f"{len(wrong)} of {passed + len(wrong)} fail\n" + "\n".join(wrong)
