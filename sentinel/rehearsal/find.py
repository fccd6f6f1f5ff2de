"""Find: the tests in some paths, together with the trees that they are about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sentinel.config.cases import Case
from sentinel.config.config import Config
from sentinel.config.files import read_files, tree_around
from sentinel.config.load import inspect
from sentinel.config.promtool import PromtoolFile
from sentinel.core.problem import Problem
from sentinel.core.severity import Severity


@dataclass(frozen=True, slots=True)
class Plan:
    """The tests of one tree.

    Args:
        config: what they are about; None where something is wrong with it.
        cases: the tests that were asked for.
        files: of promtool's tests that were asked for.
        problems: what is wrong, in the whole tree: a test of it means nothing then.
        unreadable: whether a path could not be read at all.
    """

    config: Config | None
    cases: tuple[Case, ...]
    files: tuple[PromtoolFile, ...]
    problems: tuple[Problem, ...]
    unreadable: bool = False


def find(
    paths: Sequence[Path], environ: Mapping[str, str], now: datetime, base: Path, run: re.Pattern[str] | None = None
) -> Iterator[Plan]:
    """Yield the tests in these paths, tree by tree.

    Args:
        paths: files and folders; each is read with the tree around it, if there is one, else by itself.
        environ: what `${NAME}` stands for; what is not defined matters only to the rules that need it.
        now: when it is done.
        base: what shown paths are relative to.
        run: only tests whose name has this somewhere.
    """
    trees: dict[tuple[Path, ...], list[Path]] = {}
    for path in paths:
        tree = tree_around(path)
        whole = tree and tree[0].parent == path.absolute()
        trees.setdefault(tree, []).extend(tree if whole else (path,))
    for tree, asked in trees.items():
        texts, unreadable = read_files(asked, base)
        around, _ = read_files(tree, base)
        inspection = inspect(
            around | texts,
            environ,
            now,
            unreadable,
            undefined=Severity.WARNING,
            complete=bool(tree),
            stand_ins=True,
        )
        errors = tuple(one for one in inspection.problems if one.severity >= Severity.ERROR)
        config = inspection.config
        cases = [case for case in config.tests.values() if case.position.file in texts] if config else []
        chosen = [case for case in cases if run is None or run.search(case.name)]
        blocked = any(problem.check == "file/unreadable" for problem in unreadable)
        files = tuple(file for file in config.promtool if file.path in texts) if config else ()
        yield Plan(config, tuple(chosen), files, errors, blocked)
