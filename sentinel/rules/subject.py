"""Subject: what a form is about whose `of` may be any PromQL, at other times than now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar

from sentinel.core.quantity import Unit, unit_of_metric
from sentinel.promql import (
    Aggregate,
    Call,
    DurationExpr,
    Expr,
    MatrixSelector,
    Number,
    Paren,
    Subquery,
    ValueType,
    VectorSelector,
    walk,
)
from sentinel.rules.compose import milliseconds
from sentinel.rules.form import Fault, RuleInvalid, expression
from sentinel.rules.rewrite import Looking, rewritten

_Looking = TypeVar("_Looking", bound=Looking)

#: A window over an expression is looked at so often, and at least every 15 s.
_STEPS = 240
_SHORTEST_STEP_MS = 15_000


@dataclass(frozen=True, slots=True)
class Subject:
    """An expression for an instant vector.

    Args:
        expr: a selector, or in parentheses what is none.
        unit: of its values; None where nobody can know.
        scale: how many of its own units are one base unit.
        by: labels of its elements where it adds up; None where each series is an element, or nobody can know.
    """

    expr: Expr
    unit: Unit | None
    scale: float
    by: tuple[str, ...] | None

    @classmethod
    def read(cls, text: str, *path: str) -> Subject:
        """Parse.

        Raises:
            RuleInvalid: it gives no number per label set; the fault is at `path`.
        """
        found = expression(text, *path)
        if found.type is not ValueType.VECTOR:
            says = "should give a number for each label set"
            fix = "wrap a range in a function such as increase(…[5m])" if found.type is ValueType.MATRIX else ""
            raise RuleInvalid([Fault(path, says, fix, found.start, found.end)])
        if isinstance(found, VectorSelector):
            return cls(found, *unit_of_metric(found.name), by=None)
        by = found.grouping if isinstance(found, Aggregate) and not found.without else None
        return cls(found if isinstance(found, (Aggregate, Call)) else Paren(found), None, 1.0, by)

    @property
    def carriers(self) -> tuple[VectorSelector, ...]:
        """The selectors in it."""
        return tuple(node for node in walk(self.expr) if isinstance(node, VectorSelector))

    @property
    def loose(self) -> bool:
        """Whether nobody can know which series are behind an element."""
        return self.by is None and not isinstance(self.expr, VectorSelector)

    def earlier(self, by: timedelta) -> Expr:
        """Return it as it was so much earlier."""
        by_ms = milliseconds(by, "versus")
        return rewritten(self.expr, lambda node: _moved(node, by_ms))

    def over(self, function: str, window: timedelta, *after: float, earlier: timedelta = timedelta()) -> Expr:
        """Return `function(of[window] offset earlier, after)`; a window over an expression is a subquery."""
        range_ms, offset_ms = milliseconds(window), milliseconds(earlier, "season")
        of: Expr
        if isinstance(self.expr, VectorSelector):
            of = MatrixSelector(_moved(self.expr, offset_ms), range_ms)
        else:
            of = Subquery(self.expr, range_ms, max(_SHORTEST_STEP_MS, range_ms // _STEPS), offset_ms)
        return Call(function, (of, *map(Number, after)))


def _moved(node: _Looking, by_ms: int) -> _Looking:
    if isinstance(node, MatrixSelector):
        return replace(node, selector=_moved(node.selector, by_ms))
    offset = node.offset
    if isinstance(offset, DurationExpr):
        offset = DurationExpr("+", (offset, by_ms / 1000))
    else:
        offset += by_ms
    return replace(node, offset=offset)
