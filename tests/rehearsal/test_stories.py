"""Stories: what a person writes, and what `sentinel test` says to it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.config.test_stories import read, tell

STORIES = sorted((Path(__file__).parent / "stories").glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_test_says(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each story ends as it is told, however long that takes."""
    story = read(path.read_text())
    assert story.intent
    monkeypatch.chdir(tmp_path)
    said = re.sub(r" in \d+\.\d\d s$", " in 0.12 s", tell(story), flags=re.MULTILINE)
    assert re.sub(r'("seconds": |time=")\d+\.\d+', r"\g<1>0.01", said) == story.output
