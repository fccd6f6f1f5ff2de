"""Promises that no tool keeps for us."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CODE = sorted((ROOT / "sentinel").rglob("*.py"))
CLOCKS = re.compile(r"datetime\.now\(|\.utcnow\(|\btime\.time\(|\btime\.monotonic\(|date\.today\(|time_ns\(")


def test_only_the_clock_asks_the_machine_what_time_it_is() -> None:
    """Time is a parameter, so that a week is replayed in a second."""
    asking = [str(path.relative_to(ROOT)) for path in CODE if CLOCKS.search(path.read_text())]
    assert asking == ["sentinel/core/clock.py"]


def test_a_file_holds_one_concept() -> None:
    """A file over 400 lines is two files, and its first line says what it is."""
    texts = {str(path.relative_to(ROOT)): path.read_text() for path in CODE}
    assert [name for name, text in texts.items() if len(text.splitlines()) > 400] == []
    assert [name for name, text in texts.items() if not text.startswith('"""')] == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_pins_by_hash_and_names_no_host(name: str) -> None:
    """Whoever installs may use any mirror, and gets the same bytes."""
    text = (ROOT / name).read_text()
    pinned = re.findall(r"^[a-z0-9][\w.\[\]-]*==", text, re.MULTILINE)
    assert len(pinned) > 30
    assert text.count("--hash=sha256:") >= len(pinned)
    assert "://" not in text
    assert "--index" not in text


def test_nothing_unfinished_is_in_the_product() -> None:
    """No TODO is left for others."""
    words = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError)\b")
    assert [str(path) for path in CODE if words.search(path.read_text())] == []
