"""`--fix` replaces what is wrong, and every other byte stays as it is."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.cli.checking import Options, run
from sentinel.core.problem import Edit
from sentinel.lint.mend import mend
from tests.config.test_stories import ESCAPED, read
from tests.dice import rolls

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


#: Keys and values as people mistake them, and what is written in their place.
MENDED = {
    "lastt: queue_depth": "last: queue_depth",
    "above: 5 minutes": "above: 5m",
    "above: 5gb": "above: 5GB",
    "above: '80 percent'": "above: '80%'",
    "fore: 5 min": "for: 5m",
    "for: 90 secs": "for: 90s",
    "severity: crit": "severity: critical",
    "severty: warn": "severity: warning",
    "labels: 'team=shop'": "labels: {team: shop}",
    "active: {days: mo-fr, from: 9am, to: 18:00}": "active: {days: mon-fri, from: 09:00, to: 18:00}",
    "expr: up{job=~'shop'} == 0": "expr: up{job='shop'} == 0",
    "expr: quantile(95, load_seconds) > 1": "expr: quantile(0.95, load_seconds) > 1",
    "expr: cache_hit_ratio < 80": "expr: cache_hit_ratio < 0.8",
    "summary: &co waits": 'summary: "&co waits"',
}
BESIDE = ("", "   # as agreed", " # 5 minutes", "\n    # above: 5gb")


@given(st.lists(st.tuples(st.sampled_from(sorted(MENDED)), st.sampled_from(BESIDE)), min_size=1, max_size=6))
@rolls(30)
def test_what_is_mended_is_mended_at_once(lines: list[tuple[str, str]]) -> None:
    """A second time changes nothing; comments, blanks and the lines beside stay as they are."""
    keys = [line.partition(":")[0] for line, _ in lines]
    lines = [one for at, one in enumerate(lines) if keys.index(keys[at]) == at]
    text = "rules:\n  deep:\n" + "".join(f"    {line}{beside}\n" for line, beside in lines)
    with TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_text(text)
        run(Options(paths=(path,), fix=True))
        once = path.read_text()
        run(Options(paths=(path,), fix=True))
        assert path.read_text() == once
    for (line, beside), now in zip(lines, _logical(once, len(lines)), strict=True):
        assert now in (f"    {line}{beside}\n", f"    {MENDED[line]}{beside}\n", f"    {_half(line)}{beside}\n")


def _logical(text: str, count: int) -> list[str]:
    """Return each key's lines, a comment below it among them."""
    found: list[str] = []
    for line in text.splitlines(keepends=True)[2:]:
        if line.strip().startswith("#"):
            found[-1] += line
        else:
            found.append(line)
    assert len(found) == count
    return found


def _half(line: str) -> str:
    """Return a line of which only the value was mended: its key stands there already."""
    key, _, _ = line.partition(":")
    return f"{key}:{MENDED[line].partition(':')[2]}"


STORIES = sorted((Path(__file__).parents[1] / "config" / "stories").glob("*.txt"))


@pytest.mark.parametrize("path", STORIES, ids=lambda path: path.stem)
def test_a_second_fix_of_any_bad_file_changes_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the first one breaks no YAML; what it mends may show what else is wrong."""
    monkeypatch.chdir(tmp_path)
    story = read(path.read_text())
    plain = {name: text for name, text in story.files.items() if not name.endswith(ESCAPED)}
    for name, text in plain.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text)
    folders = tuple(sorted({Path(Path(name).parts[0]) for name in plain}))
    if not folders:
        return
    before = {name: Path(name).read_bytes() for name in plain}
    run(Options(paths=folders, fix=True))
    once = {name: Path(name).read_bytes() for name in plain}
    if once == before:
        return  # a second one is the first one again
    run(Options(paths=folders, fix=True))
    assert {name: Path(name).read_bytes() for name in plain} == once
    malformed = _malformed(folders, capsys)
    for name, content in before.items():
        Path(name).write_bytes(content)
    assert malformed <= _malformed(folders, capsys)


def _malformed(paths: tuple[Path, ...], capsys: pytest.CaptureFixture[str]) -> int:
    capsys.readouterr()
    run(Options(paths=paths, format="json"))
    problems = json.loads(capsys.readouterr().out)["problems"]
    return sum(problem["check"] == "file/yaml" for problem in problems)


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
