"""Run: tests are judged one by one, each timed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from sentinel.config.cases import Case
from sentinel.config.config import Config
from sentinel.rehearsal.judge import judge
from sentinel.rehearsal.result import Result


def run(cases: Iterable[Case], config: Config) -> Iterator[Result]:
    """Yield how each test ended."""
    for case in cases:
        began = time.perf_counter()
        failures = tuple(judge(case, config))
        where = case.position
        yield Result(case.name, where.file, where.line, failures, time.perf_counter() - began)
