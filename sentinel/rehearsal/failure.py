"""A failure: one thing that is not as a test expects it, and where that is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sentinel.config.cases import Case
from sentinel.core.problem import Problem


@dataclass(frozen=True, slots=True)
class Failure:
    """One thing that is not as a test expects it.

    Args:
        problem: what, and where that is written.
        at: when, as time since the start of the test; None where it is no matter of time.
        expected: lines that are missing.
        got: lines that stand there instead.
    """

    problem: Problem
    at: timedelta | None = None
    expected: tuple[str, ...] = ()
    got: tuple[str, ...] = ()


def failure(
    case: Case,
    path: tuple[str | int, ...],
    says: str,
    at: timedelta | None = None,
    expected: Sequence[str] = (),
    got: Sequence[str] = (),
    note: str = "",
) -> Failure:
    """Return one about what stands under a path of a test's keys."""
    return Failure(case.problem(path, "test/failed", says, note), at, tuple(expected), tuple(got))
