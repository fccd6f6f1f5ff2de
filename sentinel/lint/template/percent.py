"""template/percent: what is percent already should not be made percent again.

Why
    humanizePercentage takes a share: of 5, which is five percent, it makes 500%.

Bad
    - alert: Errors
      expr: 100 * sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 5
      labels: {severity: warning}
      annotations: {summary: "{{ $value | humanizePercentage }} of requests fail"}

Good
    - alert: Errors
      expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05
      labels: {severity: warning}
      annotations: {summary: "{{ $value | humanizePercentage }} of requests fail"}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import Binary, Expr, Number, Operator, VectorSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_WORD = "humanizePercentage"


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag `$value | humanizePercentage` where the expression multiplies by 100, or is of a metric in percent."""
    query = rule.whole
    if query is None or rule.kind != "alert" or not any(_WORD in text for text in rule.texts.values()):
        return
    node = unwrap(query.expr)
    value = unwrap(node.lhs) if isinstance(node, Binary) and node.op.compares else node
    if not _is_percent(value):
        return
    for written in rule.templates:
        at = written.text.find(_WORD)
        if at >= 0 and "$value" in written.text[:at].rpartition("{{")[2]:
            says = f"{query.written(value)} is percent already, and {_WORD} multiplies by 100"
            yield Flaw(written.at(at, at + len(_WORD)), says, 'write {{ $value | printf "%.1f" }}%')


def _is_percent(expr: Expr) -> bool:
    match unwrap(expr):
        case VectorSelector(name=name):
            return name.endswith(("_percent", "_percentage"))
        case Binary(op=Operator.MUL, lhs=lhs, rhs=rhs):
            return any(isinstance(side := unwrap(one), Number) and side.value == 100 for one in (lhs, rhs))
        case Binary(op=Operator.DIV, lhs=lhs):
            return _is_percent(lhs)
        case Binary(op=Operator.SUB, lhs=lhs):
            return isinstance(side := unwrap(lhs), Number) and side.value == 100
        case _:
            return False
