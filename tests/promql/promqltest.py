"""Reads and runs Prometheus's own `.test` files.

As upstream does, every instant case is run again as the middle step of a range query, and with `@` on its selectors at
other times. What reads a native histogram is set aside, found out by running it: the source raises when one is read.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels, Matcher
from sentinel.core.notation import parse_values
from sentinel.core.sample import Health
from sentinel.core.windows import STALE, Instants, Windows
from sentinel.promql import Call, Expr, MatrixSelector, Subquery, VectorSelector, parse, walk
from sentinel.promql.block import Block
from sentinel.promql.evaluate import Answer, Note, evaluate, evaluate_instant
from sentinel.promql.literal import duration_ms, unquote
from sentinel.promql.series import parse_series

#: A value that stands for a native histogram, told from other NaNs by its bits.
HISTOGRAM = float(np.array([0x7FF0_0000_DEAD_BEEF], dtype=np.uint64).view(np.float64)[0])

#: Functions whose value depends on the evaluation time even where all selectors are fixed.
_TIMED = {"time", "timestamp", "predict_linear", "start", "end", "step", "range"}
_CALENDAR = {"minute", "hour", "month", "year", "days_in_month", "day_of_month", "day_of_week", "day_of_year"}
#: What is left for later; see the issue.
_LATER = re.compile(r"\bsmoothed\b|\binfo\(")
_NATIVE = re.compile(r"\bhistogram_(avg|count|sum|stddev|stdvar)\(")

Series = dict[Labels, dict[int, float]]


class NativeHistogramRead(Exception):
    """The query read a native histogram."""


class Watchful:
    """A block that raises when a window holds a native histogram."""

    def __init__(self, series: Series) -> None:
        self._block = Block({labels: sorted(samples.items()) for labels, samples in series.items()})
        values = [value for samples in series.values() for value in samples.values()]
        self._any = any(_is_histogram(value) for value in values)

    def windows(self, matchers: Sequence[Matcher], ends_ms: Instants, range_ms: int | None) -> Windows:
        """Return the windows."""
        found = self._block.windows(matchers, ends_ms, range_ms)
        if self._any:
            marked = found.v.view(np.uint64) == np.array([HISTOGRAM]).view(np.uint64)[0]
            before = np.concatenate(([0], np.cumsum(marked)))
            first = np.maximum(found.hi - 1, found.lo) if range_ms is None else found.lo
            if (before[found.hi] > before[first]).any():
                raise NativeHistogramRead
        return found

    def health(self, ids: NDArray[np.int64], at_ms: int) -> Health:
        """Return WELL."""
        return Health.WELL


def _is_histogram(value: float) -> bool:
    return math.isnan(value) and np.array([value]).view(np.uint64)[0] == np.array([HISTOGRAM]).view(np.uint64)[0]


@dataclass
class Case:
    """One `eval`, the data that was loaded before it, and what it is to give."""

    file: str
    line: int
    source: Watchful
    text: str
    start_ms: int
    end_ms: int
    step_ms: int | None
    rows: list[str] = field(default_factory=list)
    expectations: list[str] = field(default_factory=list)

    @property
    def native(self) -> bool:
        """Whether it speaks of native histograms."""
        return any("{{" in row for row in self.rows) or _NATIVE.search(self.text) is not None

    @property
    def later(self) -> bool:
        """Whether it needs what is left for later."""
        return _LATER.search(self.text) is not None

    def expects(self, word: str) -> bool:
        """Say whether a line `expect WORD` is there."""
        return any(re.match(rf"{word}\b", line) for line in self.expectations)


def read(path: Path) -> Iterator[Case]:
    """Iterate over the cases of a file."""
    series: Series = {}
    lines = path.read_text(encoding="utf-8").splitlines()
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        at += 1
        if not line or line.startswith("#"):
            continue
        begin, indented = at, []
        while at < len(lines) and lines[at].strip():
            indented.append(lines[at].strip())
            at += 1
            if re.match(r"(eval|load|clear)", indented[-1]) and not lines[at - 1][0].isspace():
                indented.pop()
                at -= 1
                break
        body = [row for row in indented if not row.startswith("#")]
        if line == "clear":
            series, at = {}, begin
        elif line.startswith("load"):
            series = _loaded(series, _ms(line.split()[1]), body)
        else:
            yield _case(path.stem, begin, line, body, Watchful(series))


def _loaded(series: Series, step_ms: int, rows: list[str]) -> Series:
    loaded: Series = {}
    for row in rows:
        name, values = _split(row)
        # Of two lines for one series in a load, the last counts.
        loaded[parse_series(name)] = dict(_samples(values, step_ms))
    result = {labels: dict(samples) for labels, samples in series.items()}
    for labels, samples in loaded.items():
        result.setdefault(labels, {}).update(samples)
    return result


def _split(row: str) -> tuple[str, str]:
    match = re.match(r'((?:[^\s{"]*)(?:\{(?:[^"}]|"(?:[^"\\]|\\.)*")*\})?)\s*(.*)$', row)
    assert match, row
    return match[1], match[2]


def _samples(text: str, step_ms: int) -> Iterator[tuple[int, float]]:
    at = 0
    for word in re.findall(r"\{\{.*?\}\}(?:[+-]\{\{.*?\}\})?(?:x\d+)?|\S+", text):
        if word.startswith("{{"):
            times = re.search(r"\}\}x(\d+)$", word)
            count = int(times[1]) + 1 if times else 1
            for _ in range(count):
                yield at, HISTOGRAM
                at += step_ms
            continue
        for value in parse_values(word):
            if value is not None:
                yield at, STALE if isinstance(value, str) else value
            at += step_ms


def _ms(text: str) -> int:
    return round(float(text) * 1000) if re.fullmatch(r"-?[\d.]+", text) else duration_ms(text)


def _case(file: str, number: int, line: str, body: list[str], source: Watchful) -> Case:
    instant = re.match(r"eval(_\w+)?\s+instant\s+(?:at\s+)?(\S+)\s+(.*)$", line)
    ranged = re.match(r"eval(_\w+)?\s+range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+?)\s+(.*)$", line)
    if instant:
        case = Case(file, number, source, instant[3], _ms(instant[2]), _ms(instant[2]), None)
    else:
        assert ranged, line
        case = Case(file, number, source, ranged[5], _ms(ranged[2]), _ms(ranged[3]), _ms(ranged[4]))
    mode = (instant or ranged)[1]  # type: ignore[index]
    if mode:
        case.expectations.append(mode[1:])
    for row in body:
        if row.startswith("expect "):
            case.expectations.append(row.removeprefix("expect ").strip())
        else:
            case.rows.append(row)
    return case


def run(case: Case) -> list[str]:
    """Run a case in all ways, and return what is wrong.

    Raises:
        NativeHistogramRead: it read a native histogram.
    """
    try:
        expr = parse(case.text)
        if case.step_ms is None:
            answer = evaluate_instant(expr, case.source, case.start_ms)
        else:
            answer = evaluate(expr, case.source, case.start_ms, case.end_ms, case.step_ms)
    except QueryInvalid as exc:
        return [] if case.expects("fail") else [f"raised: {exc}"]
    if case.expects("fail"):
        return ["did not fail"]
    wrong = _notes(case, "warn", answer.warnings) + _notes(case, "info", answer.infos)
    if any(line.startswith(("string", "range vector")) for line in case.expectations):
        return wrong + _special(case, answer)
    wrong += _compare(case, answer, len(answer.times_ms) - 1 if case.step_ms is None else None)
    if case.expects("ordered"):
        wrong += _order(case, answer)
    elif case.step_ms is None:
        wrong += _again(case, expr)
    return wrong


def _again(case: Case, expr: Expr) -> list[str]:
    """Run an instant case as the middle of a range query, and at other times with `@`."""
    calls = {node.function for node in walk(expr) if isinstance(node, Call)}
    if "step()" in case.text.lower() or "range()" in case.text.lower() or calls & {"start", "end", "step", "range"}:
        return []
    minute = 60_000
    ranged = evaluate(expr, case.source, case.start_ms - minute, case.start_ms + minute, minute)
    wrong = [f"as a range query: {line}" for line in _compare(case, ranged, 1)]
    if calls & (_TIMED | _CALENDAR):
        return wrong
    fixed = _fixed(expr, case.start_ms)
    for other in (0, case.start_ms - 10 * minute, case.start_ms + 1, case.start_ms + minute, case.start_ms + 3_600_000):
        answer = evaluate_instant(fixed, case.source, other)
        wrong += [f"with @ at {other}: {line}" for line in _compare(case, answer, 0)]
    return wrong


def _fixed(expr: Expr, at_ms: int) -> Expr:
    """Set `@` on every selector and subquery that has none; what is inside of a subquery follows the subquery."""
    if isinstance(expr, VectorSelector):
        return expr if expr.at is not None else replace(expr, at=at_ms)
    if isinstance(expr, MatrixSelector):
        selector = _fixed(expr.selector, at_ms)
        assert isinstance(selector, VectorSelector)
        return replace(expr, selector=selector)
    if isinstance(expr, Subquery):
        return expr if expr.at is not None else replace(expr, at=at_ms)
    changed: dict[str, object] = {}
    for name in ("expr", "lhs", "rhs", "param"):
        if isinstance(child := getattr(expr, name, None), Expr):
            changed[name] = _fixed(child, at_ms)
    if isinstance(expr, Call):
        changed["args"] = tuple(_fixed(arg, at_ms) for arg in expr.args)
    return replace(expr, **changed) if changed else expr  # type: ignore[arg-type]


def _notes(case: Case, word: str, notes: tuple[Note, ...]) -> list[str]:
    shown = [f"{note.says} ({_place(case.text, note.start)})" for note in notes]
    if case.expects(f"no_{word}") and notes:
        return [f"expected no {word}, got {shown}"]
    for line in case.expectations:
        if re.match(rf"{word}\b", line):
            if not notes:
                return [f"expected {line!r}"]
            if (said := re.match(rf"{word} msg:\s*(.*)$", line)) and said[1] not in shown:
                return [f"expected {said[1]!r}, got {shown}"]
    return []


def _place(text: str, offset: int) -> str:
    line = text.count("\n", 0, offset)
    return f"{line + 1}:{offset - text.rfind(chr(10), 0, offset)}"


def _expected(case: Case) -> list[tuple[Labels, list[float | None]]]:
    found = []
    for row in case.rows:
        name, values = ("{}", row) if re.fullmatch(r"[-+.\deExX_]+|[+-]?[Ii]nf|[Nn]a[Nn]", row) else _split(row)
        parsed = [None if value is None else float(value) for value in parse_values(values)]
        found.append((parse_series(name), parsed))
    return found


def _compare(case: Case, answer: Answer, column: int | None) -> list[str]:
    """Compare with the whole answer, or with one of its steps."""
    got: dict[Labels, list[float | None]] = {}
    columns = range(len(answer.times_ms)) if column is None else [column]
    for row, labels in enumerate(answer.labels):
        values = [float(answer.values[row, at]) if answer.present[row, at] else None for at in columns]
        if any(value is not None for value in values):
            if labels in got:
                return [f"{labels} is there twice"]
            got[labels] = values
    wrong = []
    expected = {labels: values for labels, values in _expected(case) if any(value is not None for value in values)}
    for labels, values in expected.items():
        if labels not in got:
            wrong.append(f"{labels} is missing; there are {[str(labels) for labels in got]}")
            continue
        padded = values + [None] * (len(columns) - len(values))
        if len(padded) != len(columns) or not all(map(same, padded, got[labels])):
            wrong.append(f"{labels}: expected {values}, got {got[labels]}")
    return wrong + [f"{labels} is too much: {values}" for labels, values in got.items() if labels not in expected]


def same(expected: float | None, got: float | None) -> bool:
    """Say whether two values are equal within one part in a million; an expected 0 must be exactly 0."""
    if expected is None or got is None:
        return expected is got
    if math.isnan(expected) or math.isnan(got):
        return math.isnan(expected) and math.isnan(got)
    if expected == got:
        return True
    if math.isinf(expected) or math.isinf(got) or 0 in (expected, got):
        return False
    return abs(expected - got) < 1e-6 * (abs(expected) + abs(got))


def _order(case: Case, answer: Answer) -> list[str]:
    expected = [labels for labels, _ in _expected(case)]
    got = [labels for labels, _ in answer.latest()]
    return [] if expected == got else [f"the order is {[str(labels) for labels in got]}"]


def _special(case: Case, answer: Answer) -> list[str]:
    line = case.expectations[0]
    if line.startswith("string"):
        text = unquote(line.removeprefix("string").strip())
        return [] if answer.text == text else [f"expected {text!r}, got {answer.text!r}"]
    bounds = re.match(r"range vector from (\S+) to (\S+) step (\S+)$", line)
    assert bounds
    start, step = _ms(bounds[1]), _ms(bounds[3])
    wrong = []
    got = {
        labels: {
            int(ts): float(value)
            for ts, value, shown in zip(answer.times_ms, answer.values[row], answer.present[row], strict=True)
            if shown
        }
        for row, labels in enumerate(answer.labels)
    }
    for labels, values in _expected(case):
        wanted = {start + step * at: value for at, value in enumerate(values) if value is not None}
        if wanted != got.pop(labels, None):
            wrong.append(f"{labels}: expected {wanted}")
    return wrong + [f"{labels} is too much" for labels in got]
