"""Examine: texts become problems. Rule files are looked at one by one, what is ours as a whole, and then the tree."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from sentinel.config.files import FOLDERS
from sentinel.config.source import SourceFile
from sentinel.core.problem import Problem
from sentinel.core.severity import Severity
from sentinel.lint import OUR_CHECKS, TREE_CHECKS
from sentinel.lint.context import RETENTION, Context
from sentinel.lint.ignore import Ignore, ignores
from sentinel.lint.judge import Judged, judge
from sentinel.lint.onefile import FileReport, flaws_of, is_manifest, is_rule_file, problem_of, report_on
from sentinel.lint.page import check_module
from sentinel.lint.summary import Summary, summary_of
from sentinel.lint.view import RuleView

if TYPE_CHECKING:
    from sentinel.config.load import Inspection

#: Looks at rule files, with a memory or several processes where there is one.
Reporter = Callable[[Sequence[SourceFile]], Sequence[FileReport]]


class Setting(NamedTuple):
    """What an examination takes for granted.

    Args:
        environ: what `${NAME}` stands for; an undefined one is a warning.
        now: when it is done.
        complete: whether the texts are a whole tree.
        retention: how long samples are kept.
        base: what shown paths are relative to.
        online: whether servers may be asked.
    """

    environ: Mapping[str, str]
    now: datetime
    complete: bool = True
    retention: timedelta = RETENTION
    base: Path = Path()
    online: bool = False


def each(files: Sequence[SourceFile]) -> list[FileReport]:
    """Look at rule files one after the other."""
    return [report_on(file) for file in files]


def examine(
    texts: Mapping[str, str], setting: Setting, unreadable: Iterable[Problem] = (), reporter: Reporter = each
) -> Judged:
    """Return everything that is wrong with these texts, sorted, each thing once.

    Args:
        texts: by shown path.
        setting: what is taken for granted.
        unreadable: what was found while they were read.
        reporter: looks at rule files.
    """
    files = {path: SourceFile(path, text) for path, text in sorted(texts.items())}
    manifests = [file for file in files.values() if is_manifest(file.text) and not _in_tree(file.path)]
    others = [file for file in files.values() if file not in manifests]
    plain = [file for file in others if is_rule_file(file.text)]
    ours = {file.path: file.text for file in set(others) - set(plain)}
    reports = reporter(plain)
    problems = [*unreadable, *(problem for report in reports for problem in report.problems)]
    rules = [rule for report in reports for rule in report.rules]
    comments = {file.path: list(report.ignores) for file, report in zip(plain, reports, strict=True) if report.ignores}
    inspection = None
    views: dict[str, RuleView] = {}
    if ours:
        inspection, views = _ours(ours, setting, files, problems, rules, comments)
    context = Context(
        rules,
        views,
        inspection,
        setting.complete,
        setting.now,
        files.keys(),
        manifests,
        setting.retention,
        setting.base,
        setting.online,
    )
    for name in (*TREE_CHECKS, *(OUR_CHECKS if inspection else ())):
        for flaw in check_module(name).check(context):
            found = problem_of(name, flaw, files.get(flaw.position.file))
            problems.append(hidden(found, inspection) if inspection else found)
    demands = inspection.demands if inspection else {}
    return judge(problems, comments, files, demands, setting.now.date())


def _in_tree(path: str) -> bool:
    """Say whether a file lies where only files of ours are read."""
    return not set(FOLDERS).isdisjoint(PurePosixPath(path).parts[:-1])


def _ours(
    texts: Mapping[str, str],
    setting: Setting,
    files: Mapping[str, SourceFile],
    problems: list[Problem],
    rules: list[Summary],
    comments: dict[str, list[Ignore]],
) -> tuple[Inspection, dict[str, RuleView]]:
    """Look at files of our own language, all together; what is found is added."""
    from sentinel.config.load import inspect
    from sentinel.lint.ours import our_groups, our_views

    inspection = inspect(texts, setting.environ, setting.now, undefined=Severity.WARNING, complete=setting.complete)
    problems += inspection.problems
    views, groups = our_views(inspection), our_groups(inspection)
    every = [*views.values(), *(rule for group in groups for rule in group.rules)]
    for name, flaw in flaws_of(groups, every):
        problems.append(hidden(problem_of(name, flaw, files.get(flaw.position.file)), inspection))
    rules += map(summary_of, every)
    for path in texts:
        if found := ignores(files[path], inspection.builder.gathered.roots.get(path)):
            comments[path] = found
    return inspection, views


def hidden(problem: Problem, inspection: Inspection) -> Problem:
    """Return a problem without a secret in it."""
    secrets = inspection.secrets
    if not secrets.values:
        return problem
    return replace(
        problem,
        says=secrets.redact(problem.says),
        fix=secrets.redact(problem.fix),
        excerpt=secrets.mask(problem.excerpt),
    )
