"""Judge: what is left of what was found, once `policy:` and the comments that suppress have had their say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from sentinel.config.source import SourceFile
from sentinel.core.problem import Edit, Problem, near
from sentinel.core.severity import Severity
from sentinel.lint import CHECKS
from sentinel.lint.flaw import Flaw
from sentinel.lint.ignore import Ignore, fits
from sentinel.lint.onefile import problem_of
from sentinel.lint.page import names

if TYPE_CHECKING:
    from sentinel.config.demands import Demands


class Judged(NamedTuple):
    """The outcome.

    Args:
        problems: as a reader meets them, each once.
        suppressed: how many were suppressed by comments.
    """

    problems: tuple[Problem, ...]
    suppressed: int = 0


def judge(
    problems: Sequence[Problem],
    comments: Mapping[str, Sequence[Ignore]],
    files: Mapping[str, SourceFile],
    demands: Mapping[PurePosixPath, Demands],
    today: date,
    skipped: frozenset[str] = frozenset(),
) -> Judged:
    """Weigh what was found.

    Args:
        problems: all of it.
        comments: that suppress, by file.
        files: for excerpts.
        demands: what `policy:` says, by folder.
        today: which comments are over.
        skipped: checks that were not made, so that a comment about them is not useless.
    """
    weighing = _Weighing(comments, demands, today, set())
    kept: dict[tuple[object, str], Problem] = {}
    suppressed = 0
    for problem in problems:
        weighed = weighing.weigh(problem)
        if weighed is None:
            continue
        if weighing.suppresses(weighed):
            suppressed += 1
            continue
        kept.setdefault((weighed.position, weighed.says), weighed)
    for path in comments:
        for check, flaw in weighing.about_comments(path, files[path], skipped):
            found = weighing.weigh(problem_of(check, flaw, files.get(path)))
            if found is not None:
                kept.setdefault((found.position, found.says), found)
    ordered = sorted(kept.values(), key=lambda problem: problem.sort_key)
    return Judged(tuple(ordered), suppressed)


class _Weighing(NamedTuple):
    comments: Mapping[str, Sequence[Ignore]]
    demands: Mapping[PurePosixPath, Demands]
    today: date
    used: set[Ignore]

    def weigh(self, problem: Problem) -> Problem | None:
        """Return a problem as grave as its folder's policy says; None where it is off there."""
        if not can_be_weighed(problem) or (demands := self._demands(problem.position.file)) is None:
            return problem
        level = demands.level_of(problem.check)
        if level == "off":
            return None
        return replace(problem, severity=level) if level is not None else problem

    def suppresses(self, problem: Problem) -> bool:
        """Say whether a comment suppresses it, and note which one did."""
        for comment in self.comments.get(problem.position.file, ()):
            if not comment.wrong and comment.covers(problem) and can_be_weighed(problem):
                self.used.add(comment)
                return not comment.expired(self.today)
        return False

    def about_comments(self, path: str, file: SourceFile, skipped: frozenset[str]) -> Iterator[tuple[str, Flaw]]:
        """Yield what is wrong with the comments of a file."""
        for comment in self.comments[path]:
            at = comment.position(path)
            if comment.wrong:
                yield "check/bad-ignore", Flaw(at, comment.wrong)
                continue
            unknown = [name for name in comment.names if not any(fits(name, known) for known in names())]
            for name in unknown:
                yield "check/bad-ignore", Flaw(at, f'no check is named "{name}"', near(name, set(names())))
            if comment in self.used and comment.expired(self.today):
                says = f"this has been over since {comment.until}, and what it suppressed is still there"
                yield "check/expired-ignore", Flaw(at, says, "mend it, or write a later day")
            elif comment not in self.used and not unknown and not self._off(comment, path, skipped):
                says = f"nothing here is found by {', '.join(comment.names)}"
                yield "check/useless-ignore", Flaw(at, says, "remove the comment", _without(file, comment))

    def _off(self, comment: Ignore, path: str, skipped: frozenset[str]) -> bool:
        """Say whether none of a comment's checks was made."""
        demands = self._demands(path)
        return any(
            any(fits(name, check) for check in skipped) or (demands is not None and demands.level_of(name) == "off")
            for name in comment.names
        )

    def _demands(self, path: str) -> Demands | None:
        if not self.demands:
            return None
        from sentinel.config.demands import demands_for

        return demands_for(path, self.demands)


def _without(file: SourceFile, comment: Ignore) -> Edit:
    """Return what takes a comment away: with its line, where nothing else stands there."""
    begin = file.offset(comment.line, comment.column)
    end = begin + comment.width
    start = file.offset(comment.line, 1)
    if not file.text[start:begin].strip():
        return Edit(start, file.offset(comment.line + 1, 1), "")
    return Edit(start + len(file.text[start:begin].rstrip()), end, "")


def can_be_weighed(problem: Problem) -> bool:
    """Say whether a policy or a comment may change how grave it is: not what makes a tree unusable."""
    return problem.check in CHECKS or problem.severity < Severity.ERROR
