"""What every test shares: a test says where a real part is missing, and continuous integration takes no such excuse."""

from __future__ import annotations

import gc
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A shared machine is slow at times; a property is no benchmark. `make test` rolls the same dice each time, so that a
# change is judged by what it changed; `make chaos` rolls new ones.
_PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.register_profile("same", _PATIENT, max_examples=50, derandomize=True)
settings.register_profile("new", _PATIENT, max_examples=400)
settings.load_profile("same")

#: Nothing is proved by waiting for a disk: where there is room in memory, temporary files lie there.
_QUICK = Path("/dev/shm")
if "TMPDIR" not in os.environ and os.access(_QUICK, os.W_OK):
    _about = os.statvfs(_QUICK)
    if not _about.f_flag & os.ST_NOEXEC and _about.f_bavail * _about.f_frsize > 2 << 30:
        os.environ["TMPDIR"] = tempfile.tempdir = str(_QUICK)

#: Folders whose tests all have the mark of that name.
_APART = ("bench", "chaos", "soak")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Do not even import what the marks leave out: the largest files of all are made there."""
    name = collection_path.name
    return (name in _APART and f"not {name}" in config.option.markexpr.split(" and ")) or None


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over what stays to the end: thousands of tests and all that they import."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where `SENTINEL_NO_SKIPS` is set, but for what no package brings.

    That is data that are not ours to ship, and the right to mount a disk.
    """
    report = yield
    if report.skipped and os.environ.get("SENTINEL_NO_SKIPS") and not hasattr(report, "wasxfail"):
        reason = str(report.longrepr)
        if not any(excuse in reason for excuse in ("SENTINEL_PROMQLTEST", "may not mount")):
            report.outcome = "failed"
            report.longrepr = f"skipped, though every real part was to be installed: {reason}"
    return report
