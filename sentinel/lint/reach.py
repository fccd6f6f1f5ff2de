"""Reach: between which numbers the values of an expression lie, whatever the series show."""

from __future__ import annotations

import math
from typing import NamedTuple

from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Operator,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
)

_INF = math.inf
#: Metrics that are 0 or 1 wherever they come from.
_FLAGS = frozenset({"up", "probe_success"})
#: What counters are called: they begin at 0 and only grow.
COUNTERS = ("_total", "_bucket", "_count")
#: And what sizes are called, which are never below 0.
_FROM_NOTHING = (*COUNTERS, "_bytes")
#: Functions whose values lie between two numbers, whatever they are given.
_BOUNDED = {
    **dict.fromkeys(("absent", "absent_over_time", "present_over_time"), (1.0, 1.0)),
    **dict.fromkeys(("changes", "resets"), (0.0, _INF)),
    **dict.fromkeys(("abs", "sqrt", "exp", "stddev_over_time", "stdvar_over_time", "mad_over_time"), (0.0, _INF)),
    **dict.fromkeys(("time", "timestamp"), (0.0, _INF)),
    "count_over_time": (1.0, _INF),
    "sgn": (-1.0, 1.0),
    "histogram_fraction": (0.0, 1.0),
    "minute": (0.0, 59.0),
    "hour": (0.0, 23.0),
    "day_of_week": (0.0, 6.0),
    "day_of_month": (1.0, 31.0),
    "day_of_year": (1.0, 366.0),
    "days_in_month": (28.0, 31.0),
    "month": (1.0, 12.0),
}
_WORDS = """
    avg_over_time min_over_time max_over_time last_over_time first_over_time quantile_over_time label_replace
    label_join sort sort_desc sort_by_label sort_by_label_desc vector scalar
"""
#: Functions whose values lie where those that they are given lie.
_SAME = frozenset(_WORDS.split())
#: Functions that are not below 0 where what they are given is not.
_COUNTING = frozenset({"rate", "increase", "irate", "sum_over_time"})
_SAME_OF_GROUP = frozenset({"avg", "min", "max", "quantile", "topk", "bottomk", "limitk", "limit_ratio"})


class Reach(NamedTuple):
    """The least and the greatest value that there can be."""

    least: float = -_INF
    most: float = _INF


ANYWHERE = Reach()


def reach(expr: Expr) -> Reach:
    """Return between which numbers the values of an expression lie; NaN, which compares to nothing, is left out."""
    match expr:
        case Number(value=value):
            return Reach(value, value)
        case Paren(expr=inner) | MatrixSelector(selector=inner) | Subquery(expr=inner):
            return reach(inner)
        case Unary(op=op, expr=inner):
            least, most = reach(inner)
            return Reach(-most, -least) if op == "-" else Reach(least, most)
        case VectorSelector(name=name):
            if name in _FLAGS:
                return Reach(0, 1)
            return Reach(0) if name.endswith(_FROM_NOTHING) else ANYWHERE
        case Call():
            return _of_call(expr)
        case Aggregate():
            return _of_aggregate(expr)
        case Binary():
            return _of_binary(expr)
        case _:
            return ANYWHERE


def _of_call(call: Call) -> Reach:
    if bounds := _BOUNDED.get(call.function):
        return Reach(*bounds)
    given = [reach(arg) for arg in call.args]
    match call.function:
        case "clamp_min" if len(given) == 2:
            return Reach(max(given[0].least, given[1].least), max(given[0].most, given[1].most))
        case "clamp_max" if len(given) == 2:
            return Reach(min(given[0].least, given[1].least), min(given[0].most, given[1].most))
        case "clamp" if len(given) == 3:
            return Reach(max(given[0].least, given[1].least), min(given[0].most, given[2].most))
        case function if function in _SAME:
            return next((one for one, arg in zip(given, call.args, strict=True) if arg.type != "scalar"), given[0])
        case function if function in _COUNTING and _counts(call.args[0]):
            return Reach(0)
        case _:
            return ANYWHERE


def _counts(expr: Expr) -> bool:
    """Say whether what is counted is a counter by its name, or never below 0 by what is calculated."""
    if isinstance(expr, MatrixSelector):
        return expr.selector.name.endswith(COUNTERS)
    return reach(expr).least >= 0


def _of_aggregate(node: Aggregate) -> Reach:
    match node.op:
        case "count" | "count_values":
            return Reach(1)
        case "group":
            return Reach(1, 1)
        case "stddev" | "stdvar":
            return Reach(0)
        case "sum":
            inner = reach(node.expr)
            return Reach(0 if inner.least >= 0 else -_INF, 0 if inner.most <= 0 else _INF)
        case op if op in _SAME_OF_GROUP:
            return reach(node.expr)
        case _:
            return ANYWHERE


def _of_binary(node: Binary) -> Reach:
    left = reach(node.lhs)
    if node.op.compares:
        return Reach(0, 1) if node.return_bool else _filtered(node, left)
    if node.op in ("and", "unless"):
        return left
    right = reach(node.rhs)
    match node.op:
        case "or":
            return Reach(min(left.least, right.least), max(left.most, right.most))
        case "+":
            return Reach(left.least + right.least, left.most + right.most)
        case "-":
            return Reach(left.least - right.most, left.most - right.least)
        case "*" if left.least >= 0 and right.least >= 0:
            return _product(left, right)
        case "/" if is_part(node.lhs, node.rhs):
            return Reach(0, 1)
        case "/" if left.least >= 0 and right.least == right.most > 0:
            return _product(left, Reach(1 / right.least, 1 / right.least))
        case "/" if left.least >= 0 and right.least >= 0:
            return Reach(0)
        case _:
            return ANYWHERE


def _product(left: Reach, right: Reach) -> Reach:
    """Return the reach of a product of what is not below 0; nothing is known of what may be 0 times infinity."""
    most = left.most * right.most
    return Reach(left.least * right.least, _INF if math.isnan(most) else most)


def is_part(part: Expr, whole: Expr) -> bool:
    """Say whether one counts some of what the other counts: the same, with more conditions on its labels."""
    match part, whole:
        case Paren(expr=inner), _:
            return is_part(inner, whole)
        case _, Paren(expr=inner):
            return is_part(part, inner)
        case VectorSelector(), VectorSelector():
            return part.offset == whole.offset and bool(whole.name) and set(whole.matchers) <= set(part.matchers)
        case MatrixSelector(), MatrixSelector():
            return part.range == whole.range and is_part(part.selector, whole.selector)
        case Call(function=function, args=args), Call(function=other, args=others):
            alike = function == other and function in _COUNTING
            return alike and all(map(is_part, args, others))
        case Aggregate(op="sum"), Aggregate(op="sum"):
            alike = (part.grouping, part.without) == (whole.grouping, whole.without)
            return alike and is_part(part.expr, whole.expr)
        case _:
            return False


def _filtered(node: Binary, left: Reach) -> Reach:
    """Return what a comparison lets through: values of its left side, or of its right where the left is a number."""
    if node.lhs.type == "scalar":
        return reach(node.rhs)
    right = reach(node.rhs)
    match node.op:
        case ">" | ">=":
            return Reach(max(left.least, right.least), left.most)
        case "<" | "<=":
            return Reach(left.least, min(left.most, right.most))
        case "==":
            return Reach(max(left.least, right.least), min(left.most, right.most))
        case _:
            return left


def possible(op: Operator, left: Reach, right: Reach) -> bool | None:
    """Say whether a comparison can hold: True for always, False for never, None for at times."""
    match op:
        case ">":
            return _verdict(left.least > right.most, left.most <= right.least)
        case ">=":
            return _verdict(left.least >= right.most, left.most < right.least)
        case "<":
            return _verdict(left.most < right.least, left.least >= right.most)
        case "<=":
            return _verdict(left.most <= right.least, left.least > right.most)
        case "==" | "!=":
            apart = left.most < right.least or left.least > right.most
            same = left.least == left.most == right.least == right.most
            return _verdict(same, apart) if op is Operator.EQUAL else _verdict(apart, same)
        case _:
            return None


class Pair(NamedTuple):
    """How a lower and an upper bound of one value lie: no value fulfils both, or each value fulfils one."""

    exclude: bool
    cover: bool


def pair(one: Expr, other: Expr) -> Pair | None:
    """Return how two conditions lie; None unless they are a lower and an upper bound of the same value."""
    first, second = bound(one), bound(other)
    if first is None or second is None or first[0] != second[0] or (first[1] in _UPPER) == (second[1] in _UPPER):
        return None
    (_, lower, least), (_, upper, most) = (second, first) if first[1] in _UPPER else (first, second)
    closed = [lower is Operator.GREATER_EQUAL, upper is Operator.LESS_EQUAL]
    return Pair(least > most or (least == most and not all(closed)), least < most or (least == most and any(closed)))


_UPPER = frozenset({Operator.LESS, Operator.LESS_EQUAL})
_TURNED = {
    Operator.LESS: Operator.GREATER,
    Operator.LESS_EQUAL: Operator.GREATER_EQUAL,
    Operator.GREATER: Operator.LESS,
    Operator.GREATER_EQUAL: Operator.LESS_EQUAL,
}


def bound(expr: Expr) -> tuple[Expr, Operator, float] | None:
    """Return what an expression compares with which number: `x > 5`, also where it stands as `5 < x`."""
    while isinstance(expr, Paren):
        expr = expr.expr
    if not isinstance(expr, Binary) or expr.return_bool or expr.op not in _TURNED:
        return None
    if isinstance(expr.rhs, Number):
        return expr.lhs, expr.op, expr.rhs.value
    if isinstance(expr.lhs, Number):
        return expr.rhs, _TURNED[expr.op], expr.lhs.value
    return None


def _verdict(always: bool, never: bool) -> bool | None:
    return True if always else False if never else None
