"""promtool: its tests, with its verdicts.

Each step evaluates every group, in order, at the instants that lie `evaluation_interval` apart; a group's own interval
plays no part. As in `cmd/promtool/unittest.go`: samples are there up to the last step, the alerts of a name are
compared whole, and a rule that fails anywhere ends its test. Windows are those of Prometheus 3, open on the left; as
many files were written for Prometheus 2, a test that fails so passes where it passes with windows that are closed.
"""

from __future__ import annotations

import math
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np

from sentinel.config.promtool import AlertTest, Group, Keys, PromtoolFile, QueryTest
from sentinel.config.series import labels_of
from sentinel.core.alert import Alert
from sentinel.core.clock import to_ms
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.core.notation import STALE_MARK, parse_values
from sentinel.core.quantity import format_duration, format_value
from sentinel.core.sample import Batch, Sample
from sentinel.core.windows import STALE
from sentinel.engine.turn import series_of, take_turn
from sentinel.promql import ValueType, parse
from sentinel.promql.evaluate import evaluate_instant
from sentinel.rehearsal.ahead import Program, Returned, Steps
from sentinel.rehearsal.closed import Closed, as_in_prometheus_2
from sentinel.rehearsal.failure import Failure
from sentinel.rehearsal.result import Result
from sentinel.rehearsal.rulefiles import OFTEN, closed_subqueries, metrics, outputs, read_rule_files, stepped
from sentinel.rules.grouped import Alerting, Recording, RuleGroup
from sentinel.store.head import Head
from sentinel.store.rows import Series

#: In `fuzzy_compare`, and beyond the last digit that sums of the same numbers in another order may differ in.
_FUZZY, _SAME = 1e-9, 1e-13
_Fact = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]


def run_file(file: PromtoolFile, base: Path, run: re.Pattern[str] | None = None) -> Iterator[Result]:
    """Yield how each test of a file ended.

    Args:
        file: the tests.
        base: what its path is relative to.
        run: only tests whose name has this somewhere.
    """
    rules = read_rule_files(file.keys, (base / file.path).parent, base)
    program, older = Program(rules.groups), Program([as_in_prometheus_2(group) for group in rules.groups])
    for number, group in enumerate(file.keys.tests):
        if run is not None and not run.search(group.name):
            continue
        began, closed = time.perf_counter(), False
        if rules.problems:
            failures: tuple[Failure, ...] = tuple(map(Failure, rules.problems))
        elif failures := tuple(_Drill(file, number, program).failures()):
            closed = not any(_Drill(file, number, older, closed=True).failures())
            failures = () if closed else failures
        where = file.position("tests", number)
        name = group.name or f"test {number + 1}"
        yield Result(name, where.file, where.line, failures, time.perf_counter() - began, closed)


class _Drill:
    """One test of a file."""

    def __init__(self, file: PromtoolFile, number: int, program: Program, *, closed: bool = False) -> None:
        self.file, self.number, self.program = file, number, program
        self.keys: Keys = file.keys
        self.group: Group = file.keys.tests[number]
        self.start, self.apart = self.group.start_timestamp, file.keys.evaluation_interval
        times = [*(one.eval_time for one in self.group.alert_rule_test)]
        times += (one.eval_time for one in self.group.promql_expr_test)
        self.steps = max(times, default=timedelta()) // self.apart + 1
        self.head = Head(timedelta(days=20), durable=False)
        self.closed, self.source = closed, Closed(self.head) if closed else self.head
        self.names: set[str] = set()
        self.alerts: dict[str, dict[str, Alert]] = {}
        self.written: dict[str, frozenset[Labels]] = {}
        self.instants = Steps(to_ms(self.start), round(self.apart / timedelta(milliseconds=1)), self.steps)
        self.playing: frozenset[str] = frozenset()

    def failures(self) -> Iterator[Failure]:
        """Yield what is wrong."""
        try:
            load = self._series()
        except (QueryInvalid, ValueError) as exc:
            yield self._failure(("input_series",), str(exc))
            return
        at_once = not self.program.foreseeing
        asked = frozenset(one.alertname for one in self.group.alert_rule_test)
        queries = [metrics(parse(one.expr)) for one in self.group.promql_expr_test]
        self.playing = self.program.needed(asked, frozenset().union(*queries), frozenset(load))
        ahead: dict[str, Returned] = {}
        if at_once:
            self._load_all(load)
            ahead = self.program.ahead(self.source, frozenset(self.names), self.instants, self.playing)
        for step in range(self.steps):
            at = self.start + step * self.apart
            if not at_once:
                self._load(load, at - self.apart, at)
            if failed := list(self._evaluate(step, at, ahead)):
                yield from failed
                return
            for number, one in enumerate(self.group.alert_rule_test):
                if step * self.apart <= one.eval_time < (step + 1) * self.apart:
                    yield from self._alerts(number, one)
        for number, query in enumerate(self.group.promql_expr_test):
            yield from self._query(number, query)

    # -- samples ---------------------------------------------------------------------------------------------------

    def _series(self) -> dict[Labels, list[tuple[datetime, float]]]:
        apart = self.group.interval if self.group.interval is not None else self.apart
        found: dict[Labels, list[tuple[datetime, float]]] = {}
        for one in self.group.input_series:
            labels = labels_of(one.series)
            if labels in found:
                raise ValueError(f"the series {labels} is here twice")
            values = enumerate(parse_values(one.values))
            found[labels] = [
                (self.start + place * apart, STALE if value == STALE_MARK else float(value))
                for place, value in values
                if value is not None
            ]
        return found

    def _load_all(self, series: Mapping[Labels, Sequence[tuple[datetime, float]]]) -> None:
        """Bring every sample up to the last step at once."""
        until = self.start + (self.steps - 1) * self.apart
        for number, (labels, samples) in enumerate(series.items(), 1):
            brought = [(to_ms(at), value) for at, value in samples if at <= until]
            if brought:
                self.names.add(labels.name)
                ts, v = np.array([at for at, _ in brought], np.int64), np.array([value for _, value in brought])
                self.head.restore_series(Series(number, labels, 0), ts, v, 0)

    def _load(
        self, series: Mapping[Labels, Sequence[tuple[datetime, float]]], after: datetime, until: datetime
    ) -> None:
        """Bring the samples of a stretch of time."""
        by_time: dict[datetime, list[Sample]] = defaultdict(list)
        for labels, samples in series.items():
            for at, value in samples:
                if after < at <= until:
                    self.names.add(labels.name)
                    by_time[at].append(Sample(labels.name, value, labels.unnamed.as_dict()))
        for at, found in sorted(by_time.items()):
            self.head.append(Batch("test", tuple(found), at, OFTEN, whole=False))

    # -- rules -----------------------------------------------------------------------------------------------------

    def _evaluate(self, step: int, at: datetime, ahead: Mapping[str, Returned]) -> Iterator[Failure]:
        for group in self.program.groups:
            playing = [rule for rule in group.rules if rule.name in self.playing]
            returned = {rule.name: ahead[rule.name].get(step, ()) for rule in playing if rule.name in ahead}
            waking: list[Alerting | Recording] = []
            for rule in playing:
                if self._wakes(rule, returned, step):
                    waking.append(rule)
                    self.names |= outputs(rule)  # those below it see that at the same step
            if not waking:
                continue
            awake = self._given(replace(group, rules=tuple(waking)))
            turn = take_turn(awake, at, self.alerts, self.written, self.source, returned)
            for alert in (*turn.refreshed, *(change.alert for change in turn.transitions)):
                of = self.alerts.setdefault(alert.rule, {})
                of.pop(alert.fingerprint, None)
                if alert.standings:
                    of[alert.fingerprint] = alert
            for name, batch in turn.batches.items():
                self.written[name] = frozenset(map(series_of, batch.samples))
                self.head.append(batch)
            for name, why in turn.failures.items():
                when = format_duration(step * self.apart)
                yield self._failure((), f"at {when}, the rule {name} cannot be evaluated: {why}")

    def _wakes(self, rule: Alerting | Recording, returned: Mapping[str, object], step: int) -> bool:
        """Say whether evaluating a rule may change anything."""
        if self.alerts.get(rule.name) or self.written.get(rule.name) or returned.get(rule.name):
            return True
        if rule.name in returned:
            return False
        if self.program.foreseeing:
            return True
        reads = self.program.metrics[rule.name]
        if "" in reads or not self.names.isdisjoint(reads):
            return True
        idle = self.program.idle(rule, self.instants)
        return idle is None or bool(idle.get(step))

    def _given(self, group: RuleGroup) -> RuleGroup:
        """Let templates know the labels and the address of the server that the test names."""
        if not (self.group.external_labels or self.group.external_url):
            return group
        labels, url = self.group.external_labels, self.group.external_url
        rules = [
            replace(rule, external_labels=labels, external_url=url) if isinstance(rule, Alerting) else rule
            for rule in group.rules
        ]
        return replace(group, rules=tuple(rules))

    # -- verdicts --------------------------------------------------------------------------------------------------

    def _alerts(self, number: int, one: AlertTest) -> Iterator[Failure]:
        expected = Counter(
            (_pairs(alert.exp_labels | {"alertname": one.alertname}), _pairs(alert.exp_annotations))
            for alert in one.exp_alerts
        )
        got: Counter[_Fact] = Counter()
        for rule in self.program.rules:
            if isinstance(rule, Alerting) and rule.alert == one.alertname:
                for alert in self.alerts.get(rule.name, {}).values():
                    if alert.severity is not None:
                        annotations = {name: alert.texts.get(name, "") for name in rule.annotations}
                        got[_pairs(alert.labels), _pairs(annotations)] += 1
        if expected != got:
            when = format_duration(one.eval_time)
            says = f"at {when}, {one.alertname} fires otherwise"
            less, more = _facts(expected - got), _facts(got - expected)
            path = ("alert_rule_test", number, "alertname")
            yield self._failure(path, says, one.eval_time, less, more or ([] if got else ["nothing fires"]))

    def _query(self, number: int, one: QueryTest) -> Iterator[Failure]:
        path, when = ("promql_expr_test", number, "expr"), format_duration(one.eval_time)
        try:
            expr = stepped(parse(one.expr), self.apart)
            expr = closed_subqueries(expr) if self.closed else expr
            answer = evaluate_instant(expr, self.source, to_ms(self.start + one.eval_time))
            if answer.type not in (ValueType.VECTOR, ValueType.SCALAR):
                raise QueryInvalid("the result is neither a vector nor a scalar")
            expected = sorted((_exact(sample.labels), sample.value) for sample in one.exp_samples)
        except QueryInvalid as exc:
            yield self._failure(path, f"at {when}, the query fails: {exc}", one.eval_time)
            return
        got = sorted(answer.latest(), key=lambda found: found[0])
        tolerance = _FUZZY if self.keys.fuzzy_compare else _SAME
        same = len(expected) == len(got) and all(
            mine == theirs and _near(value, found, tolerance)
            for (mine, value), (theirs, found) in zip(expected, got, strict=True)
        )
        if not same:
            lines = [[f"{labels or '{}'} {format_value(value)}" for labels, value in side] for side in (expected, got)]
            less = [line for line in lines[0] if line not in lines[1]]
            more = [line for line in lines[1] if line not in lines[0]]
            says = f"at {when}, the query returns something else"
            yield self._failure(path, says, one.eval_time, less or lines[0], more or lines[1])

    def _failure(
        self,
        path: tuple[str | int, ...],
        says: str,
        at: timedelta | None = None,
        expected: Sequence[str] = (),
        got: Sequence[str] = (),
    ) -> Failure:
        problem = self.file.problem(("tests", self.number, *path), "test/failed", says)
        return Failure(problem, at, tuple(expected), tuple(got))


def _pairs(given: Mapping[str, str] | Labels) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(dict(given).items()))


def _facts(found: Mapping[_Fact, int]) -> list[str]:
    lines = []
    for labels, texts in found:
        shown = Labels.of({name: value for name, value in labels if name != "alertname"})
        told = ", ".join(f"{name}: {value}" for name, value in texts)
        lines.append(f"{shown}{' ' if told else ''}{told}")
    return lines


def _exact(labels: str) -> Labels:
    return Labels() if labels == "{}" else labels_of(labels)


def _near(one: float, other: float, tolerance: float) -> bool:
    return one == other or math.isclose(one, other, rel_tol=tolerance)
