"""Change: which problems a change in git brought in, on the lines that it touched and anywhere else in the tree."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sentinel.config.files import PASSED_OVER, SUFFIXES, show
from sentinel.config.source import decode
from sentinel.core.errors import SentinelError
from sentinel.core.problem import Problem

_HUNK = re.compile(r"^@@ -\S+ \+(\d+)(?:,(\d+))? @@")
_MOVED = re.compile(r"^rename from ([^\n]+)\nrename to ([^\n]+)$", re.MULTILINE)
#: Places in a sentence, which move when lines are added above.
_PLACES = re.compile(r"(?<=\w):\d+(:\d+)?")


class CannotCompare(SentinelError):
    """There is no such revision, or no repository; the text says which."""


class Change(NamedTuple):
    """What git says of a change.

    Args:
        earlier: the texts before it, by shown path.
        lines: the lines that it touched, by shown path.
        moved: what files are called now that had another name, by that.
    """

    earlier: Mapping[str, str]
    lines: Mapping[str, frozenset[int]]
    moved: Mapping[str, str]

    def brought_in(self, now: Sequence[Problem], before: Iterable[Problem]) -> tuple[Problem, ...]:
        """Return the problems that were not there before, and those on lines that were touched."""
        known = Counter(_mark(problem, self.moved) for problem in before)
        found = []
        for problem in now:
            mark, at = _mark(problem, {}), problem.position
            known[mark] -= 1
            if known[mark] < 0 or at.line in self.lines.get(at.file, frozenset()):
                found.append(problem)
        return tuple(found)


def change_since(revision: str, paths: Sequence[Path], base: Path) -> Change:
    """Ask git what changed under these paths since a revision, or since this branch left it.

    Args:
        revision: a branch, a tag, a commit.
        paths: files and folders that are checked.
        base: what shown paths are relative to.

    Raises:
        CannotCompare: git does not know.
    """
    top = Path(_git(base, "rev-parse", "--show-toplevel").strip())
    commit = _git(base, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}").strip()
    with suppress(CannotCompare):  # a shallow clone does not know where they parted: what lies between is told then
        commit = _git(base, "merge-base", commit, "HEAD").strip()
    below = _below(paths, top)
    names = _git(top, "ls-tree", "-r", "-z", "--name-only", commit, "--", *below).split("\0")
    wanted = [name for name in names if _is_read(name) and not {"\n", "\ufffd"} & set(name)]
    earlier = {show(top / name, base): text for name, text in _contents(top, commit, wanted)}
    diff = _git(top, "diff", "-U0", "--no-color", "--no-ext-diff", "-M", commit, "--", *below)
    moved = {show(top / old, base): show(top / new, base) for old, new in _MOVED.findall(diff)}
    return Change(earlier, {show(top / name, base): lines for name, lines in _touched(diff)}, moved)


def _below(paths: Sequence[Path], top: Path) -> list[str]:
    whole, real = [path.resolve() for path in paths], top.resolve()
    return [str(path.relative_to(real)) for path in whole if path.is_relative_to(real)]


def _is_read(name: str) -> bool:
    folders = name.split("/")
    hidden = any(part.startswith(".") or part in PASSED_OVER for part in folders)
    return name.endswith(SUFFIXES) and not hidden


def _contents(top: Path, commit: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the texts of files as they were; what was no text then is left out, so that all in it is new."""
    asked = "".join(f"{commit}:{name}\n" for name in names)
    answer, at = _run(top, "cat-file", "--batch", given=asked.encode()), 0
    for name in names:
        end = answer.index(b"\n", at)
        size = int(answer[at:end].split()[-1])
        with suppress(ValueError):
            yield name, decode(answer[end + 1 : end + 1 + size])
        at = end + size + 2


def _touched(diff: str) -> Iterator[tuple[str, frozenset[int]]]:
    for part in diff.split("\ndiff --git "):
        name, lines = "", set[int]()
        for line in part.splitlines():
            if line.startswith("+++ b/"):
                name = line.removeprefix("+++ b/").rstrip("\t")
            elif hunk := _HUNK.match(line):
                begin, count = int(hunk[1]), int(hunk[2] or 1)
                lines.update(range(begin, begin + count))
        if name:
            yield name, frozenset(lines)


def _mark(problem: Problem, moved: Mapping[str, str]) -> tuple[str, ...]:
    """Return what tells a problem from others, wherever its line and its file moved to."""
    excerpt, says = " ".join(problem.excerpt.split()), _PLACES.sub("", problem.says)
    for old, new in moved.items():
        says = says.replace(old, new) if old in says else says
    return problem.check, moved.get(problem.position.file, problem.position.file), excerpt, says


def _git(folder: Path, *words: str) -> str:
    return _run(folder, *words).decode("utf-8", "replace")


def _run(folder: Path, *words: str, given: bytes | None = None) -> bytes:
    import subprocess

    command = ["git", "-c", "core.quotepath=off", *words]
    try:
        return subprocess.run(command, cwd=folder, input=given, check=True, capture_output=True).stdout  # noqa: S603  # no shell
    except FileNotFoundError:
        raise CannotCompare("--diff needs git, which is not installed") from None
    except subprocess.CalledProcessError as exc:
        said = exc.stderr.decode("utf-8", "replace").strip().splitlines()
        raise CannotCompare(f"git {words[0]}: {said[0] if said else 'failed'}") from None
