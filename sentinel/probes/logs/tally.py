"""Counting in lines: how many match, and what the numbers in them are, by the labels that named groups give."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import accumulate
from typing import Annotated, Any

from pydantic import Field, model_validator

from sentinel.core.fields import Model, Pattern
from sentinel.core.quantity import parse_quantity
from sentinel.core.regex import compile_pattern
from sentinel.core.sample import COUNTER_ENDINGS, Sample
from sentinel.probes.extract import shown

#: Of a histogram that names none, in the metric's unit; Prometheus's own.
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
#: What a label is of the series that there are too many of.
OTHER = "other"
_LONGEST_LABEL = 128

#: Running totals as JSON holds them: for each metric a list of labels and numbers.
Totals = Mapping[str, list[list[Any]]]


class LineMetric(Model):
    """What is counted, or taken, out of lines.

    Args:
        pattern: what is found in the lines that count; its named groups are labels.
        unless: lines in which this is found do not count.
        sum: the named group whose numbers are added up.
        last: the named group whose newest number is the value.
        observe: the named group whose numbers make a histogram.
        buckets: of the histogram: limits in the metric's unit.
        most: label sets of the metric; what comes beside them has the labels `other`.
    """

    SHORT = "pattern"

    pattern: Pattern
    unless: Pattern | None = None
    sum: str | None = None
    last: str | None = None
    observe: str | None = None
    buckets: tuple[float, ...] | None = None
    most: Annotated[int, Field(ge=1, le=1000)] = 100

    @model_validator(mode="after")
    def _one_use(self) -> LineMetric:
        given = [key for key in ("sum", "last", "observe") if getattr(self, key) is not None]
        if len(given) > 1:
            raise ValueError(f"needs one of {' and '.join(given)}, not both")
        group = self.group
        if group is not None and group not in self.groups:
            there = ", ".join(self.groups) or "none"
            raise ValueError(f'{given[0]}: "{group}" is not a named group of the pattern; there is {there}')
        if self.buckets is not None and self.observe is None:
            raise ValueError("buckets: belong to observe")
        if self.buckets is not None and (list(self.buckets) != sorted(set(self.buckets)) or not self.buckets):
            raise ValueError("buckets: should be limits, each greater than the one before")
        return self

    @property
    def groups(self) -> tuple[str, ...]:
        """The pattern's named groups."""
        return tuple(compile_pattern(self.pattern).groupindex)

    @property
    def group(self) -> str | None:
        """The group that holds a number, if one does."""
        return self.sum or self.last or self.observe

    @property
    def counts(self) -> bool:
        """Whether the metric is a counter."""
        return self.last is None and self.observe is None

    def check_name(self, name: str) -> None:
        """Compare the metric's name with what it is.

        Raises:
            ValueError: it says otherwise.
        """
        if self.counts and not name.endswith("_total"):
            raise ValueError(f"{name}: is a counter, so its name should end in _total: {name}_total")
        if not self.counts and name.endswith(COUNTER_ENDINGS):
            what = "a newest value" if self.last else "a histogram"
            raise ValueError(f"{name}: is {what}, so its name should not end as a counter's does")


class Tally:
    """Running totals, which go on from what was written down.

    Attributes:
        lines: that were looked at.
        strange: numbers that are none, in words; the first of each metric.
    """

    def __init__(self, metrics: Mapping[str, LineMetric], totals: Totals) -> None:
        self.lines = 0
        self.strange: dict[str, str] = {}
        self._counts = [_Count(name, metric, totals.get(name, ()), self.strange) for name, metric in metrics.items()]

    def add(self, lines: list[str]) -> None:
        """Count in these lines."""
        self.lines += len(lines)
        # Most lines match nothing, and one search through all of them costs less than one through each.
        block = "\n".join(lines)
        for count in self._counts:
            if count.may_be_in(block):
                count.add(lines)

    def totals(self) -> dict[str, list[list[Any]]]:
        """Return the totals to be written down."""
        return {count.name: count.written() for count in self._counts}

    def samples(self) -> Iterator[Sample]:
        """Yield the totals as samples."""
        for count in self._counts:
            yield from count.samples()


class _Count:
    """One metric, by its labels."""

    def __init__(self, name: str, metric: LineMetric, before: Iterable[list[Any]], strange: dict[str, str]) -> None:
        self.name, self._metric, self._strange = name, metric, strange
        self._labels = tuple(group for group in metric.groups if group != metric.group)
        self._limits = metric.buckets or BUCKETS if metric.observe else ()
        self._zero = [0.0] * (len(self._limits) + 2) if metric.observe else [0.0]
        self._series: dict[tuple[str, ...], list[float]] = {}
        if not self._labels and metric.last is None:
            self._series[()] = list(self._zero)
        for labels, numbers in before:
            if labels.keys() == set(self._labels) and len(numbers) == len(self._zero):
                self._series[tuple(labels[name] for name in self._labels)] = list(numbers)

    @cached_property
    def _search(self) -> Any:
        return compile_pattern(self._metric.pattern).search

    @cached_property
    def _excluded(self) -> Any:
        return compile_pattern(self._metric.unless).search if self._metric.unless is not None else None

    def may_be_in(self, block: str) -> bool:
        """Say whether any line may match: `^` and `$` are the ends of each; two other anchors mean the whole text."""
        pattern = self._metric.pattern
        return "\\A" in pattern or "\\z" in pattern or compile_pattern(f"(?m:{pattern})").search(block) is not None

    def add(self, lines: list[str]) -> None:
        search, excluded = self._search, self._excluded
        for line in lines:
            found = search(line)
            if found is not None and (excluded is None or excluded(line) is None):
                self._found(found, line)

    def _found(self, found: Any, line: str) -> None:
        value = 1.0
        if (group := self._metric.group) is not None:
            text = found.group(group) or ""
            try:
                value = parse_quantity(text).for_metric(self.name)
            except ValueError as exc:
                self._strange.setdefault(self.name, f"{self.name}: {exc}, in the line {shown(line)}")
                return
            if self._metric.sum and value < 0:
                self._strange.setdefault(self.name, f"{self.name}: {text} cannot be added to a counter")
                return
        numbers = self._numbers(tuple((found.group(name) or "")[:_LONGEST_LABEL] for name in self._labels))
        if self._metric.observe:
            at = next((at for at, limit in enumerate(self._limits) if value <= limit), len(self._limits))
            numbers[at] += 1
            numbers[-1] += value
        elif self._metric.last:
            numbers[0] = value
        else:
            numbers[0] += value

    def _numbers(self, labels: tuple[str, ...]) -> list[float]:
        if labels not in self._series and len(self._series) >= self._metric.most:
            labels = (OTHER,) * len(labels)
        return self._series.setdefault(labels, list(self._zero))

    def written(self) -> list[list[Any]]:
        return [[dict(zip(self._labels, labels, strict=True)), numbers] for labels, numbers in self._series.items()]

    def samples(self) -> Iterator[Sample]:
        for values, numbers in self._series.items():
            labels = dict(zip(self._labels, values, strict=True))
            if not self._metric.observe:
                yield Sample(self.name, numbers[0], labels, counter=self._metric.counts)
                continue
            *counts, total = numbers
            for limit, count in zip((*self._limits, math.inf), accumulate(counts), strict=True):
                le = "+Inf" if limit == math.inf else f"{limit:g}"
                yield Sample(f"{self.name}_bucket", count, {**labels, "le": le}, counter=True)
            yield Sample(f"{self.name}_count", sum(counts), labels, counter=True)
            yield Sample(f"{self.name}_sum", total, labels, counter=True)
