"""coverage: how much of the code do the tests reach, by their report?

    probes:
      shop-coverage:
        coverage:
          path: /srv/ci/shop/coverage.xml
          expect: {lines: 90%, branches: 80%}
        every: 5m
      api-coverage: {coverage: https://ci.example.com/api/main/lcov.info, every: 15m}

Keys
    path     of a report, or a pattern of several, which are added up
    http     or the URL of one, with all that may stand beside the url of an http probe; one of the two is needed
    expect   the least shares of lines and branches that should be reached; default none, so that rules judge

Reads what pytest-cov, coverage.py (XML and JSON), JaCoCo, gcovr, istanbul, cargo-llvm-cov and others write: Cobertura's
and JaCoCo's XML, coverage.py's JSON, and lcov. A failure names the files in which most is missing.

Emits, for all reports together; what a report does not know is left out
    probe_coverage_lines, probe_coverage_covered_lines, probe_coverage_line_ratio
    probe_coverage_branches, probe_coverage_covered_branches, probe_coverage_branch_ratio
    probe_coverage_report_timestamp_seconds   when the oldest was written, Unix seconds
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import Field

from sentinel.core.errors import ProbeFailed
from sentinel.core.fields import Model, Ratio
from sentinel.core.quantity import Unit, format_value
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Verdict
from sentinel.probes.extract import parse_json, shown
from sentinel.probes.report import Report, ReportKind, keep_age, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_WHAT = "report of coverage"
_CONDITIONS = re.compile(r"\((\d+)/(\d+)\)")


@dataclass(slots=True)
class Reached:
    """How much of a file was reached."""

    lines: int = 0
    covered_lines: int = 0
    branches: int = 0
    covered_branches: int = 0

    def add(self, other: Reached) -> None:
        """Add another part."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def of(self, what: str) -> tuple[int, int]:
        """Return how much is reached, and how much there is, of lines or branches."""
        return getattr(self, f"covered_{what}"), getattr(self, what)


class Least(Model):
    """The least shares.

    Args:
        lines: the share of lines that tests should reach.
        branches: likewise of branches.
    """

    lines: Ratio | None = None
    branches: Ratio | None = None


class Coverage(ReportKind):
    """Reports of coverage."""

    expect: Least = Field(default_factory=Least)

    def judge(self, reports: Sequence[Report], look: Look) -> Sequence[Sample]:
        """Add the files up, and compare."""
        files: dict[str, Reached] = {}
        for report in reports:
            for name, reached in _files(report):
                files.setdefault(name, Reached()).add(reached)
        total = Reached()
        for reached in files.values():
            total.add(reached)
        keep_age(reports, "probe_coverage_report_timestamp_seconds", look)
        for what, ratio in (("lines", "line_ratio"), ("branches", "branch_ratio")):
            covered, count = total.of(what)
            if count:
                look.keep(f"probe_coverage_{what}", float(count))
                look.keep(f"probe_coverage_covered_{what}", float(covered))
                look.keep(f"probe_coverage_{ratio}", covered / count)
        if not total.lines:
            raise ProbeFailed("expect", f"{reports[0].name} tells of no lines at all")
        look.judge(self._verdicts(total, files))
        return []

    def _verdicts(self, total: Reached, files: dict[str, Reached]) -> Iterator[Verdict]:
        for what, least in (("lines", self.expect.lines), ("branches", self.expect.branches)):
            if least is None:
                continue
            covered, count = total.of(what)
            wanted = f"at least {_percent(least)} of {what} reached"
            if not count:
                yield Verdict(what, wanted, f"the report tells of no {what}, expected {wanted}")
                continue
            missed = {name: one.of(what)[1] - one.of(what)[0] for name, one in files.items()}
            worst = sorted(missed, key=missed.__getitem__, reverse=True)[:3]
            missing = ", ".join(f"{name} ({missed[name]} missing)" for name in worst if missed[name])
            short = f"{_percent(covered / count)} of {count:,} {what} reached, expected at least {_percent(least)}"
            yield Verdict(what, wanted, f"{short}: {missing}" if covered / count < least else "")


def _percent(share: float) -> str:
    return format_value(share, Unit.RATIO, "0%")


def _files(report: Report) -> Iterator[tuple[str, Reached]]:
    """Yield each file of a report, in whatever form it is.

    Raises:
        ProbeFailed: it is in none that is known.
    """
    begins = report.content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if begins.startswith((b"TN:", b"SF:")):
        return _lcov(report.content.decode(errors="replace"))
    if begins.startswith(b"{"):
        return _json(report)
    root = parse_xml(report, ("coverage", "report"), _WHAT)
    return _cobertura(root) if root.tag == "coverage" else _jacoco(root)


def _cobertura(root: Element) -> Iterator[tuple[str, Reached]]:
    for part in root.iter("class"):
        reached = Reached()
        for line in part.iterfind("lines/line"):
            reached.lines += 1
            reached.covered_lines += line.get("hits", "0") != "0"
            if found := _CONDITIONS.search(line.get("condition-coverage", "")):
                reached.covered_branches += int(found[1])
                reached.branches += int(found[2])
        yield part.get("filename") or part.get("name") or "unnamed", reached


def _jacoco(root: Element) -> Iterator[tuple[str, Reached]]:
    for package in root.iter("package"):
        for source in package.iterfind("sourcefile"):
            reached = Reached()
            for counter in source.iterfind("counter"):
                missed, covered = int(counter.get("missed", "0")), int(counter.get("covered", "0"))
                if counter.get("type") == "LINE":
                    reached.add(Reached(missed + covered, covered))
                elif counter.get("type") == "BRANCH":
                    reached.add(Reached(branches=missed + covered, covered_branches=covered))
            yield f"{package.get('name')}/{source.get('name')}", reached


def _json(report: Report) -> Iterator[tuple[str, Reached]]:
    try:
        files: dict[str, Any] = parse_json(report.content)["files"]
        for name, one in files.items():
            said = one["summary"]
            branches = int(said.get("num_branches", 0)), int(said.get("covered_branches", 0))
            yield name, Reached(int(said["num_statements"]), int(said["covered_lines"]), *branches)
    except (KeyError, TypeError, AttributeError, ValueError) as exc:
        why = str(exc) if isinstance(exc, ValueError) else f"it begins {shown(report.content)}"
        raise ProbeFailed("error", f"{report.name} is no {_WHAT} of coverage.py: {why}") from exc


def _lcov(text: str) -> Iterator[tuple[str, Reached]]:
    name, reached = "unnamed", Reached()
    for line in text.splitlines():
        word, _, rest = line.partition(":")
        match word:
            case "SF":
                name, reached = rest, Reached()
            case "DA":
                reached.lines += 1
                reached.covered_lines += rest.split(",")[1:2] not in (["0"], [])
            case "BRDA":
                reached.branches += 1
                reached.covered_branches += rest.rpartition(",")[2] not in ("0", "-")
            case "end_of_record":
                yield name, reached
