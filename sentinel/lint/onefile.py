"""One file: all that can be said of a Prometheus rule file by itself, as data that can be kept and sent."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from sentinel.config.findings import Findings
from sentinel.config.foreign import RULES_OF_OPERATORS
from sentinel.config.gather import gather
from sentinel.config.rulefile import WrittenGroup, WrittenRule, read_groups
from sentinel.config.source import SourceFile
from sentinel.config.tree import Node
from sentinel.core.problem import Edit, Position, Problem
from sentinel.core.severity import Severity
from sentinel.lint import GROUP_CHECKS, RULE_CHECKS
from sentinel.lint.flaw import Flaw
from sentinel.lint.ignore import Ignore, ignores
from sentinel.lint.page import check_module, page
from sentinel.lint.summary import Summary, summary_of
from sentinel.lint.view import GroupView, Query, RuleView

#: A line that makes a file more than a rule file of Prometheus: a key of ours at its left edge.
#: (It begins with the end of the line before, which is found faster than a beginning.)
_OURS = re.compile(r"\n(?!groups[ \t]*:|[-#\s\]}%]|\.\.\.)\S")

_MANIFEST = re.compile(
    r"^services:|^apiVersion:[^\n]*\n(?:.*\n)*?kind:|^kind:[^\n]*\n(?:.*\n)*?apiVersion:", re.MULTILINE
)


class FileReport(NamedTuple):
    """What there is to say of one file.

    Args:
        problems: found in it.
        rules: in it that can be read.
        ignores: the comments in it that suppress problems.
    """

    problems: tuple[Problem, ...]
    rules: tuple[Summary, ...]
    ignores: tuple[Ignore, ...]

    def as_data(self) -> list[Any]:
        """Return it as JSON would have it."""
        problems = [
            [p.check, int(p.severity), [at.line, at.column, at.width], p.says, p.fix, p.why, _as_data(p.edit)]
            for p in self.problems
            for at in (p.position,)
        ]
        return [problems, [rule.as_data() for rule in self.rules], self.ignores]

    @classmethod
    def from_data(cls, file: SourceFile, data: list[Any]) -> FileReport:
        """Return what `as_data` wrote of a file with this text."""
        problems, rules, comments = data
        return cls(
            tuple(
                Problem(
                    check,
                    Severity(level),
                    Position(file.path, *at),
                    says,
                    fix,
                    why,
                    file.line(at[0]),
                    Edit(*edit) if edit else None,
                )
                for check, level, at, says, fix, why, edit in problems
            ),
            tuple(Summary.from_data(file, rule) for rule in rules),
            tuple(map(Ignore.from_data, comments)),
        )


def is_rule_file(text: str) -> bool:
    """Say whether a file holds rules of Prometheus only, by the looks of its lines."""
    return _OURS.search(f"\n{text}") is None


def is_manifest(text: str) -> bool:
    """Say whether a file is Kubernetes's or Compose's, by the keys at its left edge; rules are neither."""
    if any(f"kind: {kind}" in text for kind in RULES_OF_OPERATORS):
        return False
    return ("apiVersion:" in text or "services:" in text) and _MANIFEST.search(text) is not None


def report_on(file: SourceFile) -> FileReport:
    """Read a rule file and look at each of its rules."""
    findings = Findings({file.path: file})
    gathered = gather([file], findings)
    groups = [view for node in gathered.groups for view in group_views(node, findings)]
    flaws = list(flaws_of(groups, [rule for group in groups for rule in group.rules]))
    root = gathered.roots.get(file.path)
    problems = [*findings.sorted(), *(problem_of(check, flaw, file) for check, flaw in flaws)]
    rules = tuple(summary_of(rule) for group in groups for rule in group.rules)
    return FileReport(tuple(problems), rules, tuple(ignores(file, root)))


def group_views(node: Node, findings: Findings) -> Iterator[GroupView]:
    """Yield what stands under `groups:` as checks see it; what is wrong is reported."""
    for group in read_groups(node, findings):
        rules = [_view(rule, group) for rule in group.rules]
        yield GroupView(group.name, group.node, rules, group.interval, group.limit)


def flaws_of(groups: Iterable[GroupView], rules: Sequence[RuleView]) -> Iterator[tuple[str, Flaw]]:
    """Yield what the checks of single rules and groups find, each with the check's name."""
    for name in RULE_CHECKS:
        check = check_module(name).check
        for rule in rules:
            for flaw in check(rule):
                yield name, flaw
    for name in GROUP_CHECKS:
        check = check_module(name).check
        for group in groups:
            for flaw in check(group):
                yield name, flaw


def problem_of(check: str, flaw: Flaw, file: SourceFile | None) -> Problem:
    """Return a flaw as a problem: with the severity and the reason of its check's page, and its source line."""
    known, at = page(check), flaw.position
    excerpt = file.line(at.line) if file else ""
    if flaw.secret:
        begin, end = at.column - 1, at.column - 1 + at.width
        excerpt = f"{excerpt[:begin]}{'*' * len(excerpt[begin:end])}{excerpt[end:]}"
    return Problem(check, known.severity, at, flaw.says, flaw.fix, known.why, excerpt, flaw.edit)


def _as_data(edit: Edit | None) -> list[Any] | None:
    return [edit.begin, edit.end, edit.text] if edit else None


def _view(rule: WrittenRule, group: WrittenGroup) -> RuleView:
    return RuleView(
        rule.kind,
        rule.name,
        rule.node,
        rule.key,
        [Query(rule.query, rule.expr)] if rule.query is not None else [],
        labels=rule.labels,
        texts=rule.annotations,
        levels=rule.levels,
        hold_for=rule.hold_for,
        keep_firing_for=rule.keep_firing_for,
        interval=group.interval if "interval" in group.node.keys else None,
        group=group.name,
    )
