"""`--fix` replaces what is wrong, and every other byte stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.cli.checking import Options, run
from sentinel.core.problem import Edit
from sentinel.lint.mend import mend

BEFORE = b"""\xef\xbb\xbf# our rules\r
rules:\r
    deep:   # the queue\r
        # sentinel: ignore rule/same because it was so once\r
        last:    'queue_depth'\r
        above: 5     # sentinel: ignore rule/same\r
\r
        severity:  error   # as agreed\r
"""


def test_a_useless_comment_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Byte order mark, ends of lines, blanks and other comments are those of the author."""
    monkeypatch.chdir(tmp_path)
    Path("a.yaml").write_bytes(BEFORE)
    assert run(Options(paths=(Path("a.yaml"),), fix=True, strict=True)) == 0
    after = BEFORE.replace(b"        # sentinel: ignore rule/same because it was so once\r\n", b"")
    assert Path("a.yaml").read_bytes() == after.replace(b"above: 5     # sentinel: ignore rule/same", b"above: 5")
    assert "mended a.yaml in 2 places" in capsys.readouterr().err


@given(
    st.text(max_size=30), st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30), st.text(max_size=3)), max_size=5)
)
def test_what_no_edit_is_about_stays(text: str, given_edits: list[tuple[int, int, str]]) -> None:
    """Of edits that overlap one is made; all text outside of edits is there, in order."""
    edits = [Edit(min(a, b, len(text)), min(max(a, b), len(text)), new) for a, b, new in given_edits]
    mended, count = mend(text, edits)
    assert count <= len(set(edits))
    touched = {at for edit in edits for at in range(edit.begin, edit.end)}
    rest = iter(mended)
    assert all(any(one == other for other in rest) for at, one in enumerate(text) if at not in touched)
