"""promql/fragile: an alert should not depend on which series happens to be the greatest.

Why
    topk() and its like choose anew at each evaluation. When two series change places, one alert ends and another
    begins, though nothing changed that matters.

Bad
    - alert: Busiest
      expr: topk(3, cpu_usage_ratio) > 0.9
      labels: {severity: warning}

Good
    - alert: Busiest
      expr: cpu_usage_ratio > 0.9
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.carried import CHOOSING
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Aggregate, Expr

SEVERITY = Severity.WARNING


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag topk, bottomk, limitk and limit_ratio whose elements become alerts."""
    if not rule.alerts:
        return
    for query in rule.queries:
        for node in query.aggregates:
            if node.op in CHOOSING and not _is_summed(query, node):
                says = f"{node.op}() chooses anew each time: alerts begin and end when series change places"
                yield Flaw(query.at(node), says, "compare all of them; the message can list the greatest")


def _is_summed(query: Query, node: Expr) -> bool:
    """Say whether the chosen elements are made one again further out."""
    above = query.above(node)
    while above is not None:
        if isinstance(above, Aggregate) and above.op not in CHOOSING:
            return True
        above = query.above(above)
    return False
