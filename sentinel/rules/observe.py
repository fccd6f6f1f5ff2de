"""Observe: what one evaluation of a rule says about each of its elements.

How an element is judged; the first that applies decides:

1. Its probe fails, is late, or the agent is blind: unknown, even if an older value would still count.
2. The series that carried it are gone: over, as "gone".
3. It has fewer events than `at_least`, or no number: not enough data.
4. Its window is not covered, or reaches back beyond the rule's hours: not enough data to say what speaks about all of
   it (that it is below a threshold, and of the least value that it is above one); all else is judged.
5. Else each severity's threshold is.

An element of a present alert that the expression no longer returns: unknown, as above; over, where the expression alone
decides (`expr`); "gone", where its series have ended or were silent for 15 minutes; else not enough data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from sentinel.core.alert import Condition, Observed
from sentinel.core.clock import to_ms
from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.core.quantity import format_duration
from sentinel.core.severity import Severity
from sentinel.promql import Expr
from sentinel.rules import words
from sentinel.rules.grouped import Alerting
from sentinel.rules.hours import hours_so_far, within
from sentinel.rules.rule import Rule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sentinel.core.windows import Source, Values
    from sentinel.promql.evaluate import Answer
    from sentinel.promql.values import Vector

#: Labels of the one alert that stands for all beyond a rule's `limit`.
OTHERS = Labels.of(others="beyond the limit")

_NOBODY: Mapping[Labels, datetime | None] = MappingProxyType({})


def observe(
    rule: Rule,
    now: datetime,
    source: Source,
    known: Mapping[Labels, datetime | None] = _NOBODY,
    *,
    every: bool = False,
) -> list[Observed]:
    """Evaluate a rule once.

    Args:
        rule: to evaluate.
        now: the instant; it sees what was stored by then.
        source: of the samples.
        known: the labels of the rule's present alerts, and since when each is the case. Each is observed, also one that
            the expression no longer returns.
        every: whether to observe also what is not the case and has no alert, to show it.

    Raises:
        QueryInvalid: the expression cannot be evaluated over these samples.
    """
    if isinstance(rule, Alerting):
        from sentinel.rules.returned import alerting

        return alerting(rule, now, source, known)
    evaluation = _Evaluation(rule, now, source, known)
    returned = dict(evaluation.elements(every=every))
    observed = [evaluation.judge(labels, value) for labels, value in returned.items()]
    observed += [evaluation.judge_missing(labels) for labels in known if labels not in returned and labels != OTHERS]
    kept, beyond = _limited(rule, observed, known)
    return [*(observed if every else kept), *beyond]


class _Evaluation:
    """One rule at one instant; whatever is needed only at times is evaluated when it is."""

    def __init__(self, rule: Rule, now: datetime, source: Source, known: Mapping[Labels, datetime | None]) -> None:
        from sentinel.rules.scene import Scene

        self._rule, self._now, self._source, self._known = rule, now, source, known
        self._hours = hours_so_far(rule, now)
        self._compiled = rule.compiled if self._hours is None else within(rule.compiled, self._hours)
        self._scene = Scene(rule.compiled, source, to_ms(now))
        self._aggregations: dict[int, Vector] = {}  # that the value, what explains it and what is enough have in common

    def elements(self, *, every: bool) -> Iterator[tuple[Labels, float]]:
        """Iterate over what the expression returns, values in base units; without `every`, what may matter."""
        answer = self._evaluate(self._compiled.expr)
        values = answer.values[:, -1] / self._rule.compiled.scale
        standing = self._among(answer.labels, {*self._known, *(labels for own in self._own.values() for labels in own)})
        matters = answer.present[:, -1] & (every | self._passing(values) | standing)
        seen = set()
        for row in matters.nonzero()[0].tolist():
            labels = answer.labels[row].unnamed
            if labels in seen:
                raise QueryInvalid(f"two results have the labels {labels}", fix="keep what tells them apart")
            seen.add(labels)
            yield labels, float(values[row])

    def _among(self, found: Sequence[Labels], wanted: Collection[Labels]) -> NDArray[np.bool_]:
        """Say which of these elements have an alert, or hold by an expression of their own."""
        import numpy as np

        if not wanted:
            return np.zeros(len(found), np.bool_)
        return np.fromiter((labels.unnamed in wanted for labels in found), np.bool_, len(found))

    def _passing(self, values: Values) -> NDArray[np.bool_]:
        """Say which of many values may be beyond a threshold, without looking at each."""
        import numpy as np

        passing = np.zeros(values.shape, np.bool_)
        for threshold in self._rule.thresholds.values():
            if threshold.bare and not self._rule.compiled.own:
                passing[:] = True
            if threshold.above:
                passing |= values >= threshold.above.value
            if threshold.below:
                passing |= values <= threshold.below.value
        return passing

    def judge(self, labels: Labels, value: float) -> Observed:
        """Judge an element that the expression returned."""
        if self._rule.compiled.absence:
            return self._judge_absence(labels, value)
        if why := self._scene.unwell(labels):
            return self._without_value(labels, self._unknown(), why)
        if self._scene.ended(labels):
            return self._without_value(labels, Condition.OVER, "gone")
        if missing := self._too_few(labels):
            return self._without_value(labels, Condition.SCARCE, f"not enough data: {missing}")
        conditions = {level: self._condition(level, labels, value) for level in self._rule.thresholds}
        if set(conditions.values()) == {Condition.SCARCE}:
            missing = self._rule.form.unclear(self._parts_of(labels))
            return self._without_value(labels, Condition.SCARCE, f"not enough data: {missing}")
        if self._compiled.waits and (missing := self._begun or self._scene.missing(labels)):
            return self._uncovered(labels, value, conditions, missing)
        return self._with_value(labels, value, conditions)

    def judge_missing(self, labels: Labels) -> Observed:
        """Judge an element of a present alert that the expression did not return."""
        if self._rule.compiled.absence:
            return self._judge_absence(labels, None)
        if why := self._scene.unwell(labels):
            return self._without_value(labels, self._unknown(), why)
        if self._rule.compiled.empty_is_over:
            return self._without_value(labels, Condition.OVER, "not the case any more")
        if self._scene.gone(labels):
            return self._without_value(labels, Condition.OVER, "gone")
        return self._without_value(labels, Condition.SCARCE, "not enough data: no value")

    def _judge_absence(self, labels: Labels, value: float | None) -> Observed:
        """Judge what is missed by whether the agent looked; None is the value of what is missed no more."""
        if self._scene.blind:
            return self._without_value(labels, self._unknown(), "the agent is blind")
        if value is None:
            why = "gone for a day" if self._scene.gone(labels) else "there again"
            return self._without_value(labels, Condition.OVER, why)
        if missing := self._begun or self._scene.unwatched:
            return self._without_value(labels, Condition.SCARCE, f"not enough data: {missing}")
        return self._with_value(labels, value, dict.fromkeys(self._rule.thresholds, Condition.HOLDS))

    def _unknown(self) -> Condition:
        return Condition.OVER if self._rule.no_data == "resolve" else Condition.UNKNOWN

    def _too_few(self, labels: Labels) -> str:
        compiled = self._rule.compiled
        if compiled.events is None or (count := self._events.get(labels, 0.0)) >= compiled.at_least:
            return ""
        return self._rule.form.lacks(words.number(count), words.number(compiled.at_least))

    def _uncovered(
        self, labels: Labels, value: float, conditions: Mapping[Severity, Condition], missing: str
    ) -> Observed:
        """Judge a value of a part of the window: with all of it, it can only move away from the side that waits."""
        waits = self._rule.compiled.waits or ""
        beyond = {level: limits.passed(value) for level, limits in self._rule.thresholds.items()}
        early = {
            level
            for level, limit in beyond.items()
            if waits != "both" and limit is not getattr(self._rule.thresholds[level], waits)
        }
        sure = {
            level: condition
            if condition is Condition.OVER or (condition is Condition.HOLDS and level in early)
            else Condition.SCARCE
            for level, condition in conditions.items()
        }
        seen = self._with_value(labels, value, sure)
        if Condition.HOLDS in sure.values() or Condition.SCARCE not in sure.values():
            return seen
        return replace(seen, value=None, reason=f"not enough data: {missing}", texts={})

    def _with_value(self, labels: Labels, value: float, conditions: Mapping[Severity, Condition]) -> Observed:
        severity = words.judged_severity(self._rule, conditions)
        value = self._own.get(severity, {}).get(labels, value)
        why = words.reason(self._rule, value, self._rule.thresholds[severity], self._parts_of(labels))
        since = self._known.get(labels) or self._now
        texts = words.texts(self._rule, labels, value, severity, why, since)
        return Observed(labels, value, conditions, why, texts, self._limits)

    def _without_value(self, labels: Labels, condition: Condition, why: str) -> Observed:
        return Observed(labels, None, dict.fromkeys(self._rule.thresholds, condition), why, {}, self._limits)

    def _condition(self, severity: Severity, labels: Labels, value: float) -> Condition:
        if severity not in self._own:
            return self._rule.thresholds[severity].judge(value)
        if labels in self._own[severity]:
            return Condition.HOLDS
        return Condition.OVER if value == value else Condition.SCARCE

    @property
    def _begun(self) -> str:
        """Say how much of the window lies in the rule's hours; "" where it is all of it."""
        window = self._compiled.window
        if self._hours is None or self._hours >= window:
            return ""
        return f"its hours began {format_duration(self._hours)} ago, and it looks at {format_duration(window)}"

    def _evaluate(self, expr: Expr) -> Answer:
        from sentinel.promql.evaluate import evaluate_instant

        return evaluate_instant(expr, self._source, to_ms(self._now), known=self._aggregations)

    def _by_labels(self, expr: Expr) -> dict[Labels, float]:
        return {labels.unnamed: value for labels, value in self._evaluate(expr).latest()}

    @cached_property
    def _events(self) -> Mapping[Labels, float]:
        events = self._compiled.events
        return {} if events is None else self._by_labels(events)

    @cached_property
    def _own(self) -> Mapping[Severity, Mapping[Labels, float]]:
        return {level: self._by_labels(expr) for level, expr in self._compiled.own.items()}

    @cached_property
    def _parts(self) -> Mapping[str, Mapping[Labels, float]]:
        return {name: self._by_labels(part) for name, part in self._compiled.parts.items()}

    def _parts_of(self, labels: Labels) -> Mapping[str, float]:
        return {name: found[labels] for name, found in self._parts.items() if labels in found}

    @cached_property
    def _limits(self) -> Mapping[Severity, str]:
        return {level: str(threshold) for level, threshold in self._rule.thresholds.items()}


def _limited(
    rule: Rule, observed: list[Observed], known: Mapping[Labels, datetime | None]
) -> tuple[list[Observed], list[Observed]]:
    """Keep what has an alert, then what is new up to the rule's limit; one more says how many others there are."""
    present = [seen for seen in observed if seen.labels in known]
    new = [seen for seen in observed if seen.labels not in known and Condition.HOLDS in seen.conditions.values()]
    room = max(0, rule.limit - sum(set(seen.conditions.values()) != {Condition.OVER} for seen in present))
    kept, others = new[:room], new[room:]
    if not others and OTHERS not in known:
        return present + kept, []
    return present + kept, [_others(rule, others)]


def _others(rule: Rule, others: list[Observed]) -> Observed:
    holding = {level for seen in others for level, condition in seen.conditions.items() if condition is Condition.HOLDS}
    conditions = {level: Condition.HOLDS if level in holding else Condition.OVER for level in rule.thresholds}
    says = f"{len(others)} {'alert' if len(others) == 1 else 'alerts'} more than the limit of {rule.limit}"
    return Observed(OTHERS, float(len(others)), conditions, says, {"summary": f"{rule.name}: {says}"})
