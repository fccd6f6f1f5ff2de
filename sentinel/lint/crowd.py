"""Crowd: many rule files are looked at by as many processes as there are processors."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import Any

from sentinel.config.source import SourceFile
from sentinel.lint import RULE_CHECKS
from sentinel.lint.onefile import FileReport, report_on
from sentinel.lint.page import check_module

#: So many characters are looked at in the time that it takes to begin another process and hear from it.
WORTH_SHARING = 60_000


class Spread:
    """Looks at rule files, in several processes where there is enough to do."""

    def __init__(self, processes: int) -> None:
        self._processes = processes if hasattr(os, "fork") else 1

    def reports(self, files: Sequence[SourceFile]) -> list[FileReport]:
        """Return the report on each file."""
        if self._alone(files):
            return [report_on(file) for file in files]
        for name in RULE_CHECKS:
            check_module(name)  # imported once, and not by each process
        ours, *others = _shares(files, self._processes)
        waiting = [(share, *_begin(share)) for share in others]
        found = {file.path: report_on(file) for file in ours}
        for share, process, pipe in waiting:
            for file, one in zip(share, _hear(process, pipe, share), strict=True):
                found[file.path] = FileReport.from_data(file, one)
        return [found[file.path] for file in files]

    def data(self, files: Sequence[SourceFile]) -> list[Any]:
        """Return the report on each file as JSON has it."""
        return [report.as_data() for report in self.reports(files)]

    def _alone(self, files: Sequence[SourceFile]) -> bool:
        return self._processes < 2 or len(files) < 2 or sum(len(file.text) for file in files) < WORTH_SHARING


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _shares(files: Sequence[SourceFile], count: int) -> list[list[SourceFile]]:
    """Part the files so that each share has about as much text: the largest first, each to the one with the least."""
    shares: list[list[SourceFile]] = [[] for _ in range(min(count, len(files)))]
    sizes = [0] * len(shares)
    for file in sorted(files, key=lambda file: -len(file.text)):
        least = sizes.index(min(sizes))
        shares[least].append(file)
        sizes[least] += len(file.text)
    return shares


def _begin(files: Sequence[SourceFile]) -> tuple[int, int]:
    """Begin a process that looks at these files; return it, and the pipe that it answers through."""
    ours, theirs = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    process = os.fork()
    if process:
        os.close(theirs)
        return process, ours
    try:
        os.close(ours)
        data = [report_on(file).as_data() for file in files]
        with open(theirs, "wb") as pipe:
            pipe.write(json.dumps(data, ensure_ascii=True, separators=(",", ":")).encode())
    finally:
        os._exit(0)  # nothing of the parent's may run here: no handler at exit, no buffer written twice


def _hear(process: int, pipe: int, files: Sequence[SourceFile]) -> list[Any]:
    """Return what a process says of its files; where it died, look ourselves."""
    with open(pipe, "rb") as answer:
        said = answer.read()
    os.waitpid(process, 0)
    try:
        found: list[Any] = json.loads(said)
    except ValueError:
        return [report_on(file).as_data() for file in files]
    return found
