"""Run: the tests of a plan are judged one by one, each timed."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

from sentinel.config.cases import Case
from sentinel.config.config import Config
from sentinel.rehearsal.find import Plan
from sentinel.rehearsal.judge import judge
from sentinel.rehearsal.promtool import run_file
from sentinel.rehearsal.result import Result


def run(plan: Plan, base: Path, wanted: re.Pattern[str] | None = None) -> Iterator[Result]:
    """Yield how each test ended: those of the tree, then those that promtool reads.

    Args:
        plan: what is to be run.
        base: what shown paths are relative to.
        wanted: only tests whose name has this somewhere.
    """
    if plan.config is None:
        return
    for case in plan.cases:
        yield run_case(case, plan.config)
    for file in plan.files:
        yield from run_file(file, base, wanted)


def run_case(case: Case, config: Config) -> Result:
    """Judge one test of the tree."""
    began = time.perf_counter()
    failures = tuple(judge(case, config))
    where = case.position
    return Result(case.name, where.file, where.line, failures, time.perf_counter() - began)
