"""Findings: where problems are collected while a tree is read, each with its source line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from sentinel.config.source import SourceFile
from sentinel.config.tree import Node
from sentinel.core.problem import Edit, Position, Problem
from sentinel.core.severity import Severity


@dataclass(slots=True)
class Findings:
    """Everything found so far; files are asked for the lines that problems point at."""

    files: dict[str, SourceFile] = field(default_factory=dict)
    _problems: list[Problem] = field(default_factory=list)

    def add(
        self,
        check: str,
        where: Node | Position,
        says: str,
        fix: str = "",
        *,
        severity: Severity = Severity.ERROR,
        why: str = "",
        edit: Edit | None = None,
    ) -> None:
        """Report one problem."""
        position = where.position if isinstance(where, Node) else where
        file = self.files.get(position.file)
        excerpt = file.line(position.line) if file else ""
        self._problems.append(Problem(check, severity, position, says, fix, why, excerpt, edit))

    def extend(self, problems: Iterable[Problem]) -> None:
        """Report problems that are made already."""
        self._problems.extend(problems)

    @property
    def failed(self) -> bool:
        """Whether any of them makes the tree unusable."""
        return any(problem.severity >= Severity.ERROR for problem in self._problems)

    def sorted(self) -> tuple[Problem, ...]:
        """Return them as a reader meets them, each once; of two at one place that say the same the first stays."""
        unique = {(problem.position, problem.says): problem for problem in reversed(self._problems)}
        return tuple(sorted(unique.values(), key=lambda problem: problem.sort_key))
