"""junit: how did the last run of tests go, by its report?

    probes:
      nightly-tests:
        junit: /srv/ci/shop/reports/*.xml
        every: 5m
      smoke:
        junit:
          http: {url: https://ci.example.com/smoke/report.xml, auth: {bearer: "${SHOP_TOKEN}"}}
          fail_on_failures: false

Keys
    path               of a report in JUnit's XML, or a pattern of several
    http               or the URL of one, with all that may stand beside the url of an http probe; one of both is needed
    fail_on_failures   false if a test that failed fails no run, and only rules judge the numbers; default true

Emits, for all reports together
    probe_junit_tests, probe_junit_failures, probe_junit_errors, probe_junit_skipped
    probe_junit_duration_seconds               that the tests took
    probe_junit_suite_failures{suite}          failures and errors of each suite
    probe_junit_report_timestamp_seconds       when the oldest report was written, where that is known
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Verdict
from sentinel.probes.extract import shown
from sentinel.probes.report import Report, ReportKind, keep_age, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class Tally:
    """What the reports say together."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.suites: Counter[str] = Counter()
        self.seconds = 0.0
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


class Junit(ReportKind):
    """Reports of tests."""

    fail_on_failures: bool = True

    def judge(self, reports: Sequence[Report], look: Look) -> Sequence[Sample]:
        """Count cases."""
        tally = Tally()
        for report in reports:
            tally.add(parse_xml(report, ("testsuite", "testsuites"), "report of tests"))
        for what in ("tests", "failures", "errors", "skipped"):
            look.keep(f"probe_junit_{what}", float(tally.counts[what]))
        look.keep("probe_junit_duration_seconds", tally.seconds)
        keep_age(reports, "probe_junit_report_timestamp_seconds", look)
        for suite, broken in tally.suites.items():
            look.keep("probe_junit_suite_failures", float(broken), suite=suite)
        if self.fail_on_failures:
            first = f": {shown(', '.join(tally.broken[:3]))}" if tally.broken else ""
            words = f"{len(tally.broken)} of {tally.counts['tests']} tests failed{first}" if tally.broken else ""
            look.judge([Verdict("fail_on_failures", "no test fails", words)])
        return []
