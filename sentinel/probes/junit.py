"""junit: how did the last run of tests go, by its report?

    probes:
      nightly-tests:
        junit: /srv/ci/shop/reports/*.xml
        every: 5m
      smoke:
        junit:
          path: /srv/ci/smoke.xml
          fail_on_failures: false

Keys
    path               of a report in JUnit's XML, or a pattern of several; the only one that is needed
    fail_on_failures   false if a test that failed fails no run, and only rules judge the numbers; default true

Emits, for all reports together
    probe_junit_tests, probe_junit_failures, probe_junit_errors, probe_junit_skipped
    probe_junit_duration_seconds               that the tests took
    probe_junit_suite_failures{suite}          failures and errors of each suite
    probe_junit_report_timestamp_seconds       when the oldest report was written, Unix seconds
"""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind, Verdict
from sentinel.probes.extract import shown
from sentinel.probes.threads import Lone

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

#: A report that is longer is none.
_LIMIT = 32 * 1024 * 1024
_MOST = 1000


class Tally:
    """What the reports say together."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.suites: Counter[str] = Counter()
        self.seconds = 0.0
        self.written: list[float] = []
        self.broken: list[str] = []

    def add(self, report: Element) -> None:
        """Add a report, case by case: the totals that writers put on top differ in what they count."""
        for suite in report.iter("testsuite"):
            name = suite.get("name") or "unnamed"
            self.suites[name] += 0
            for case in suite.findall("testcase"):
                self._add_case(name, case)

    def _add_case(self, suite: str, case: Element) -> None:
        self.counts["tests"] += 1
        with suppress(ValueError):  # some write words
            self.seconds += float(case.get("time", "0").replace(",", ""))
        for tag, what in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            if case.find(tag) is not None:
                self.counts[what] += 1
                if what != "skipped":
                    self.suites[suite] += 1
                    self.broken.append(f"{case.get('classname', suite)}.{case.get('name', 'unnamed')}")
                return


class Junit(ProbeKind):
    """Reports of tests."""

    SHORT = "path"

    path: Annotated[str, Field(min_length=1)]
    fail_on_failures: bool = True

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the thread in which it reads."""
        yield partial(self._look, Lone("junit"))

    async def _look(self, thread: Lone, look: Look) -> Sequence[Sample]:
        look.doing = f"reading {self.path}"
        tally = await thread(self._tally)
        for what in ("tests", "failures", "errors", "skipped"):
            look.keep(f"probe_junit_{what}", float(tally.counts[what]))
        look.keep("probe_junit_duration_seconds", tally.seconds)
        look.keep("probe_junit_report_timestamp_seconds", min(tally.written))
        for suite, broken in tally.suites.items():
            look.keep("probe_junit_suite_failures", float(broken), suite=suite)
        if self.fail_on_failures:
            first = f": {shown(', '.join(tally.broken[:3]))}" if tally.broken else ""
            words = f"{len(tally.broken)} of {tally.counts['tests']} tests failed{first}" if tally.broken else ""
            look.judge([Verdict("fail_on_failures", "no test fails", words)])
        return []

    def _tally(self) -> Tally:
        paths = sorted(glob.glob(self.path, recursive=True)) if glob.has_magic(self.path) else [self.path]
        if not paths or len(paths) > _MOST:
            raise ProbeFailed("expect", f"{self.path} finds {len(paths):,} reports, expected 1 to {_MOST:,}")
        tally = Tally()
        for path in paths:
            tally.add(_report(path))
            tally.written.append(os.stat(path).st_mtime)
        return tally


def _report(path: str) -> Element:
    """Read a report; entities are refused, since a short text may unfold to gigabytes by them.

    Raises:
        ProbeFailed: it is none.
    """
    from xml.etree import ElementTree as Xml

    try:
        with open(path, "rb") as opened:
            content = opened.read(_LIMIT + 1)
    except OSError as exc:
        raise ProbeFailed("error", f"{path}: {(exc.strerror or str(exc)).lower()}") from exc
    # UTF-16 writes a NUL beside each letter.
    if len(content) > _LIMIT or b"<!ENTITY" in content.replace(b"\0", b""):
        raise ProbeFailed("error", f"{path} is longer than 32 MiB, or defines entities: no report of tests")
    try:
        report = Xml.fromstring(content)  # noqa: S314 - without entities there is nothing to unfold or to fetch
    except (Xml.ParseError, ValueError) as exc:
        raise ProbeFailed("error", f"{path} is not XML: {exc}") from exc
    if report.tag not in ("testsuite", "testsuites"):
        raise ProbeFailed("error", f"{path} is no report of tests: it begins with <{report.tag}>")
    return report
