"""Rewrite: the tree of an expression with the nodes that look at samples exchanged for others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sentinel.promql import Aggregate, Binary, Call, Expr, MatrixSelector, Paren, Subquery, Unary, VectorSelector

#: A node that looks at samples.
Looking = VectorSelector | MatrixSelector | Subquery


def rewritten(expr: Expr, change: Callable[[Looking], Expr]) -> Expr:
    """Return the tree with each selector, range and subquery changed; what is below a subquery is left to `change`."""
    match expr:
        case VectorSelector() | MatrixSelector() | Subquery():
            return change(expr)
        case Paren(expr=inner):
            return Paren(rewritten(inner, change))
        case Call(args=args):
            return replace(expr, args=tuple(rewritten(arg, change) for arg in args))
        case Aggregate(expr=inner, param=param):
            return replace(expr, expr=rewritten(inner, change), param=param and rewritten(param, change))
        case Binary(lhs=lhs, rhs=rhs):
            return replace(expr, lhs=rewritten(lhs, change), rhs=rewritten(rhs, change))
        case Unary(expr=inner):
            return replace(expr, expr=rewritten(inner, change))
        case _:
            return expr
