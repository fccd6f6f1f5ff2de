"""Hours: a rule that is judged only in some hours looks back no further than their beginning."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from math import ceil

from sentinel.promql import Call, Expr, MatrixSelector, Number, Subquery, VectorSelector
from sentinel.rules.compose import milliseconds
from sentinel.rules.form import Compiled
from sentinel.rules.rewrite import Looking, rewritten
from sentinel.rules.rule import Rule


def hours_so_far(rule: Rule, now: datetime) -> timedelta | None:
    """Return how long the rule's hours have lasted; None where that is longer than it looks back, or it has none."""
    if rule.active is None:
        return None
    compiled = rule.compiled
    counted = [limit.above.value * (compiled.pace or timedelta()) for limit in rule.thresholds.values() if limit.above]
    reach = max(compiled.window, *counted, *(read.window for read in compiled.reads), timedelta(seconds=1))
    began = rule.active.began_at(now, reach)
    return now - began if began is not None and now - began < reach else None


def within(compiled: Compiled, lasted: timedelta) -> Compiled:
    """Return a form's expressions as they are while the hours have lasted for so long."""
    lasted_ms = max(1, milliseconds(lasted - lasted % timedelta(milliseconds=1)))
    longest_ms = milliseconds(compiled.window)

    def shorter(node: Looking) -> Expr:
        match node:
            case VectorSelector():
                return node
            case MatrixSelector(range=int(length)) if length <= longest_ms or not longest_ms:
                return replace(node, range=min(length, lasted_ms))
            case Subquery(expr=inner, range=int(length)):
                return replace(node, expr=rewritten(inner, shorter), range=min(length, lasted_ms))
            case _:
                return node

    expr = rewritten(compiled.expr, shorter)
    if compiled.pace is not None:
        expr = Call("clamp_max", (expr, Number(float(ceil(lasted / compiled.pace)))))
    return replace(
        compiled,
        expr=expr,
        events=compiled.events and rewritten(compiled.events, shorter),
        parts={name: rewritten(part, shorter) for name, part in compiled.parts.items()},
        own={level: rewritten(own, shorter) for level, own in compiled.own.items()},
    )
