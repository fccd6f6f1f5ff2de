"""alert/comparison: the expression of an alert should have a condition.

Why
    Without one, each series that exists is an alert, for as long as it exists.

Bad
    - alert: Queue
      expr: queue_depth
      labels: {severity: warning}

Good
    - alert: Queue
      expr: queue_depth > 100
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Aggregate, Binary, Call, Expr, Paren, Unary
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

#: Functions whose outcome is a condition by itself: it is there, or it is not.
_CONDITIONS = frozenset({"absent", "absent_over_time", "present_over_time"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag an expression that filters nothing, where the rule has no threshold beside it."""
    query = rule.whole
    if query is None or not rule.alerts or rule.node.values.keys() & {"above", "below"}:
        return
    if query.selectors and not filters(query.expr):  # vector(1) says that it always fires, as a watchdog does
        node = unwrap(query.expr)
        if isinstance(node, Binary) and node.return_bool:
            says = f"{rule.name} has no condition: bool makes 0 or 1 of it, and both are alerts"
            yield Flaw(query.at(query.expr), says, "drop bool")
        else:
            yield Flaw(query.at(query.expr), f"{rule.name} has no condition", "add a comparison, such as > 0")


def filters(expr: Expr) -> bool:
    """Say whether an expression can be empty though its series are there."""
    match expr:
        case Binary(op=op, lhs=lhs, rhs=rhs, return_bool=return_bool):
            if op.compares:
                return not return_bool or filters(lhs) or filters(rhs)
            if op == "or":
                return filters(lhs) and filters(rhs)
            return op.sets or filters(lhs) or filters(rhs)
        case Call(function=function, args=args):
            return function in _CONDITIONS or any(filters(arg) for arg in args)
        case Aggregate(expr=inner) | Paren(expr=inner) | Unary(expr=inner):
            return filters(inner)
        case _:
            return any(filters(child) for child in expr.children)
