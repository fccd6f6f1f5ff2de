"""promql/dash: a name should not be taken apart by a dash in it.

Why
    In PromQL `queue-depth` is a subtraction: `queue` minus `depth`. Neither is there, so the rule is empty for ever.

Bad
    - alert: Deep
      expr: queue-depth > 100
      labels: {severity: warning}

Good
    - alert: Deep
      expr: queue_depth > 100
      labels: {severity: warning}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Binary, Expr, MatrixSelector, Operator, VectorSelector

SEVERITY = Severity.WARNING

#: A word of a language, and not the name of a metric, which says of what it is and in which unit.
_WORD = re.compile(r"[a-zA-Z]+")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag a difference of two names without blanks, one of which is a plain word."""
    for query in rule.queries:
        for node in query.binaries:
            if node.op is Operator.SUB and (names := _names(query, node)):
                dashed, better = "-".join(names), "_".join(names)
                says = f'"-" takes {dashed} apart: {" minus ".join(names)}'
                fix = f"write {better}; if a difference is meant, put blanks around the -"
                begin = node.lhs.end - len(names[0])
                yield Flaw(query.part(begin, node.rhs.start + len(names[1])), says, fix)


def _names(query: Query, node: Binary) -> tuple[str, str] | None:
    """Return the names on both sides of a dash that touches them; None where it is a subtraction."""
    left, right = _last(node.lhs), _selector(node.rhs)
    if left is None or right is None or query.written(left) != left.name or not right.name:
        return None
    touching = query.text[node.lhs.end : node.rhs.start] == "-"
    is_name = bool(_WORD.fullmatch(left.name)) or bool(_WORD.fullmatch(right.name))
    return (left.name, right.name) if touching and is_name else None


def _last(expr: Expr) -> VectorSelector | None:
    """Return the selector that an expression ends in: of `a-b`, which is taken apart again, b."""
    return _last(expr.rhs) if isinstance(expr, Binary) and expr.op is Operator.SUB else _selector(expr)


def _selector(expr: Expr) -> VectorSelector | None:
    if isinstance(expr, MatrixSelector):
        return _selector(expr.selector)
    return expr if isinstance(expr, VectorSelector) else None
