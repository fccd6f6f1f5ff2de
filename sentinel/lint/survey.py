"""Survey: what `sentinel check` says of some paths, read together with the tree that they belong to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from sentinel.config.files import FOLDERS, read_files, show, tree_around
from sentinel.core.problem import Position, Problem
from sentinel.core.severity import Severity
from sentinel.lint.change import change_since
from sentinel.lint.examine import Reporter, Setting, each, examine


class Survey(NamedTuple):
    """What there is to say of some paths.

    Args:
        problems: in the files that were asked about.
        files: how many these are.
        elsewhere: how many errors lie in other files of the trees.
        trees: the folders that were read for context; none where there are none around.
        unreadable: whether a path could not be read at all.
        complete: whether every path lies in a tree.
        suppressed: how many problems comments suppress.
        texts: the files that were asked about, by shown path.
    """

    problems: tuple[Problem, ...]
    files: int
    elsewhere: int
    trees: tuple[Path, ...]
    unreadable: bool
    complete: bool
    suppressed: int
    texts: Mapping[str, str]


def survey(paths: Sequence[Path], setting: Setting, reporter: Reporter = each, since: str = "") -> Survey:
    """Look at these paths, and read the trees around them for what their files name; each tree stands for itself.

    Args:
        paths: files and folders to report on; a folder that holds a tree stands for the tree's folders.
        setting: what is taken for granted; whether a tree is complete is found out here.
        reporter: looks at rule files.
        since: a revision in git; only what was brought in since then is told.
    """
    groups: dict[tuple[Path, ...], list[Path]] = {}
    for path in paths:
        tree = tree_around(path)
        own = tree if tree and tree[0].parent == path.absolute() else (path,)
        groups.setdefault(tree, []).extend(own)
    found = [_survey(asked, tree, setting, reporter, since) for tree, asked in groups.items()]
    return Survey(
        tuple(sorted((problem for one in found for problem in one.problems), key=lambda problem: problem.sort_key)),
        sum(one.files for one in found),
        sum(one.elsewhere for one in found),
        tuple(folder for one in found for folder in one.trees),
        any(one.unreadable for one in found),
        all(one.complete for one in found),
        sum(one.suppressed for one in found),
        {path: text for one in found for path, text in one.texts.items()},
    )


def _survey(paths: Sequence[Path], tree: tuple[Path, ...], setting: Setting, reporter: Reporter, since: str) -> Survey:
    """Look at paths of one tree; without one, a single folder is taken for a tree of its own."""
    base = setting.base
    asked, unreadable = read_files(paths, base)
    around, _ = read_files(tree, base)
    complete = bool(tree) or (len(paths) == 1 and paths[0].is_dir())
    setting = setting._replace(complete=complete)
    judged = examine(around | asked, setting, unreadable, reporter)
    if since:
        once = [tree[0].parent / name for name in FOLDERS] if tree else []  # one of them may be gone
        change = change_since(since, [*paths, *once], base)
        before = examine(change.earlier, setting, reporter=reporter)
        judged = judged._replace(problems=change.brought_in(judged.problems, before.problems))
    places = {*asked, *(problem.position.file for problem in unreadable)}
    problems = [problem for problem in judged.problems if problem.position.file in places]
    problems += [
        Problem("file/none", Severity.WARNING, Position(show(path, base)), "holds no YAML file", "look at its name")
        for path in paths
        if path.is_dir() and not any(file.startswith(_prefix(path, base)) for file in places)
    ]
    outside = (problem for problem in judged.problems if problem.position.file not in places)
    return Survey(
        tuple(problems),
        len(asked),
        sum(problem.severity >= Severity.ERROR for problem in outside),
        tree,
        any(problem.check == "file/unreadable" for problem in unreadable),
        complete,
        judged.suppressed,
        asked,
    )


def _prefix(path: Path, base: Path) -> str:
    shown = show(path, base)
    return "" if shown == "." else f"{shown.rstrip('/')}/"
