"""rule/out-of-reach: a threshold should be one that the value can pass, and need not pass.

Why
    A share of something is never above 100 %, and what is never below 0 cannot fall under it. Such a rule looks like
    protection and is none; one that always holds is noise.

Bad
    availability: {of: "*", over: 1h}
    below: 120%

Bad too
    ratio: {of: 'orders_total{status="failed"}', to: orders_total, over: 5m, at_least: 20}
    above: 500%

Good
    availability: {of: "*", over: 1h}
    below: 99%
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import Reach, is_part, possible, reach
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Operator

SEVERITY = Severity.ERROR


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag thresholds beside a form that no value passes, or every one; both sides of a band are judged together."""
    if rule.rule is None or not (rule.find("above") or rule.find("below")):
        return
    values = _values(rule)
    for level, threshold in rule.rule.thresholds.items():
        for side, op in (("above", Operator.GREATER), ("below", Operator.LESS)):
            limit = getattr(threshold, side)
            if limit is None or rule.find(side) is None:
                continue
            where = rule.find(side, str(level)) or rule.at(side)
            match possible(op, values, Reach(limit.value, limit.value)):
                case False:
                    yield Flaw(
                        where, f"never {side} {limit}: the value is {_words(values)}", "write one that it can pass"
                    )
                case True:
                    yield Flaw(
                        where,
                        f"always {side} {limit}: the value is {_words(values)}",
                        "write one that it need not pass",
                    )


def _values(rule: RuleView) -> Reach:
    assert rule.rule is not None
    if rule.form == "ratio":
        of, to = ({query.key: query.expr for query in rule.queries}.get(key) for key in ("of", "to"))
        return Reach(0, 1) if of and to and is_part(of, to) else Reach(0)
    compiled = rule.rule.compiled
    least, most = reach(compiled.expr)
    return Reach(least / compiled.scale, most / compiled.scale)


def _words(values: Reach) -> str:
    if values.most == float("inf"):
        return f"at least {values.least:g}"
    return f"at least {values.least:g} and at most {values.most:g}"
