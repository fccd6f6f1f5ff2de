"""rule/out-of-reach: a threshold should be one that the value can pass, and need not pass.

Why
    A share of something is never above 100 %, and what is never below 0 cannot fall under it. Such a rule looks like
    protection and is none; one that always holds is noise.

    So it is with the pace of a `burn_rate` whose objective is so low that no outage burns its budget that fast.

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

from sentinel.config.edits import in_place_of
from sentinel.config.tree import Node
from sentinel.core.problem import Edit
from sentinel.core.quantity import Quantity, Unit
from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.reach import Reach, is_part, possible, reach
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Operator

SEVERITY = Severity.ERROR

#: Forms whose values lie between 0 and 1.
_SHARES = ("ratio", "availability")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag thresholds beside a form that no value passes, or every one; both sides of a band are judged together."""
    yield from _too_fast_for_its_budget(rule)
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
                    fix, edit = _possible(rule, where, limit)
                    yield Flaw(where, f"never {side} {limit}: the value is {_words(values)}", fix, edit)
                case True:
                    fix, edit = _avoidable(rule, where, limit, values)
                    yield Flaw(where, f"always {side} {limit}: the value is {_words(values)}", fix, edit)


def _too_fast_for_its_budget(rule: RuleView) -> Iterator[Flaw]:
    """Flag an objective whose budget is so large that even an outage burns it too slowly for a severity."""
    if rule.rule is None or rule.form != "burn_rate":
        return
    from sentinel.rules.burn_rate import PAIRS, BurnRate

    form = rule.rule.form
    assert isinstance(form, BurnRate)
    if form.objective < 0.5:
        return  # the share that may fail was written: rule/wrong-side
    fastest = 1 / (1 - form.objective)
    for level in (Severity.CRITICAL, Severity.WARNING):
        least = min(pair.pace(form.period) for pair in PAIRS if pair.severity is level)
        if least >= fastest:
            says = f"never {level}: a budget of {1 - form.objective:.3g} burns {fastest:.3g} times as fast at most"
            fix = f"raise the objective above {1 - 1 / least:.1%}, or use ratio with a threshold"
            yield Flaw(rule.at("burn_rate", "objective"), f"{says}, and {least:.3g} is the limit", fix)
            return


def _possible(rule: RuleView, where: Node, limit: Quantity) -> tuple[str, Edit | None]:
    """Return a proposal for a threshold that is never passed, and what writes it where that is sure."""
    if rule.form == "expr":
        return "the comparison in expr is a threshold: keep one of the two", None
    return _with_percent(rule, where, limit) or ("write one that it can pass", None)


def _avoidable(rule: RuleView, where: Node, limit: Quantity, values: Reach) -> tuple[str, Edit | None]:
    if rule.form == "ratio" and values.least == 1:
        return "exchange of and to: it counts the whole as a share of its part", None
    return _with_percent(rule, where, limit) or ("write one that it need not pass", None)


def _with_percent(rule: RuleView, where: Node, limit: Quantity) -> tuple[str, Edit | None] | None:
    """Return the proposal to write a share in percent that was written without its sign."""
    if rule.form not in (*_SHARES, "change") or limit.unit is not Unit.NUMBER or not 1 < abs(limit.value) <= 100:
        return None
    return f"write {limit.text}%", in_place_of(where, f"{limit.text}%")


def _values(rule: RuleView) -> Reach:
    assert rule.rule is not None
    if rule.form == "ratio":
        of, to = ({query.key: query.expr for query in rule.queries}.get(key) for key in ("of", "to"))
        if of and to and is_part(to, of) and not is_part(of, to):
            return Reach(1)
        return Reach(0, 1) if of and to and is_part(of, to) else Reach(0)
    if rule.form == "change":
        return Reach(-1)  # of a value that is negative nobody asks by which share of itself it changed
    compiled = rule.rule.compiled
    least, most = reach(compiled.expr)
    return Reach(least / compiled.scale, most / compiled.scale)


def _words(values: Reach) -> str:
    if values.most == float("inf"):
        return f"at least {values.least:g}"
    return f"at least {values.least:g} and at most {values.most:g}"
