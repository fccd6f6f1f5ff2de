"""rule/wrong-side: a rule should fire when things are bad, not when they are well.

Why
    What is better the more there is of it is bad below its threshold: with `above`, people are woken while all is well,
    and nobody is on the day on which it is not.

Bad
    availability: {of: "*", over: 1h}
    above: 99%

Bad too
    - alert: Down
      expr: up == 1
      labels: {severity: critical}

Good
    availability: {of: "*", over: 1h}
    below: 99%
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.config.edits import in_place_of
from sentinel.config.tree import ScalarNode
from sentinel.core.problem import Edit
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Binary, Number, Operator, VectorSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.ERROR

#: Forms whose values are the better the higher they are, and what they are.
_BETTER_HIGH = {"availability": "the share of runs that succeeded", "certificate": "the time that is left"}
#: Nobody promises less; whoever writes less means the share that may fail.
_HALF = 0.5
#: Metrics that are 1 while all is well.
_WELL = frozenset({"up", "probe_success"})
_ALL_WELL = {(Operator.EQUAL, 1.0), (Operator.GREATER_EQUAL, 1.0), (Operator.GREATER, 0.0), (Operator.NOT_EQUAL, 0.0)}


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag `above` beside forms whose values should be high, and conditions that ask whether a target is up."""
    if rule.rule is not None and (rule.form in _BETTER_HIGH or _newest_of(rule) in _WELL):
        key = rule.node.keys.get("above")
        if key is not None and rule.find("below") is None:
            says = f"it fires while all is well: the value is {_BETTER_HIGH.get(rule.form, '1 then')}"
            yield Flaw(key, says, "write below", _below(key))
        return
    if (objective := getattr(rule.rule and rule.rule.form, "objective", 1)) < _HALF:
        says = f"an objective of {100 * objective:g}% asks that nearly all fail"
        yield Flaw(rule.at(rule.form, "objective"), says, f"write {100 - 100 * objective:g}%")
    if rule.rule is not None and rule.form in ("change", "anomaly"):
        yield from _of_nothing(rule)
    query = rule.whole
    node = unwrap(query.expr) if query is not None and rule.alerts else None
    if query is None:
        return
    if isinstance(node, Binary) and isinstance(limit := unwrap(node.rhs), Number) and not node.return_bool:
        target = unwrap(node.lhs)
        if isinstance(target, VectorSelector) and target.name in _WELL and (node.op, limit.value) in _ALL_WELL:
            if set(rule.levels) == {Severity.INFO}:
                return  # one of the lowest severity may tell good news
            yield Flaw(
                query.at(node), f"it fires while all is well: {target.name} is 1 then", f"write {target.name} == 0"
            )


def _of_nothing(rule: RuleView) -> Iterator[Flaw]:
    """Flag a relative change, or a distance, that is passed while nothing moves."""
    for level, threshold in rule.rule.thresholds.items() if rule.rule else ():
        for side, sign in (("above", 1), ("below", -1)):
            limit, other = getattr(threshold, side), threshold.below if side == "above" else threshold.above
            if limit is not None and other is None and limit.value * sign < 0:
                where = rule.find(side, str(level)) or rule.at(side)
                better = limit.text.removeprefix("-") if sign > 0 else f"-{limit.text}"
                says = f"{side} {limit} holds while nothing changes: the value is 0 then"
                yield Flaw(where, says, f"write {better}", in_place_of(where, better))


def _below(key: ScalarNode) -> Edit:
    return Edit(key.begin, key.end, "below")


def _newest_of(rule: RuleView) -> str:
    """Return the metric of a rule of the form `last`, "" for another form."""
    selectors = rule.queries[0].selectors if rule.form == "last" and rule.queries else ()
    return selectors[0].name if selectors else ""
