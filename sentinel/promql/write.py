"""Tree -> PromQL that parses to the same tree."""

from __future__ import annotations

import re

from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    DurationExpr,
    Expr,
    Length,
    Matching,
    MatrixSelector,
    Number,
    Paren,
    Subquery,
    Text,
    Unary,
    VectorSelector,
)
from sentinel.promql.literal import quote, write_duration, write_number

_METRIC = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def write(expr: Expr) -> str:
    """Write an expression in Prometheus's layout, on one line."""
    match expr:
        case Number(value=value):
            return write_number(value)
        case Text(value=text):
            return quote(text)
        case Paren(expr=inner):
            return f"({write(inner)})"
        case Unary(op=op, expr=inner):
            return f"{op}{write(inner)}"
        case Call(function=function, args=args):
            return f"{function}({', '.join(write(arg) for arg in args)})"
        case Aggregate():
            return _aggregate(expr)
        case Binary():
            bool_word = " bool" if expr.return_bool else ""
            return f"{write(expr.lhs)} {expr.op}{bool_word}{_matching(expr.matching)} {write(expr.rhs)}"
        case VectorSelector():
            return _selector(expr) + _shift(expr.offset, expr.at)
        case MatrixSelector(selector=selector, range=length):
            anchored = " anchored" if expr.anchored else ""
            return f"{_selector(selector)}[{write_length(length)}]{_shift(selector.offset, selector.at)}{anchored}"
        case Subquery(expr=inner, range=length):
            step = "" if expr.step is None else write_length(expr.step)
            return f"{write(inner)}[{write_length(length)}:{step}]{_shift(expr.offset, expr.at)}"
        case _:
            raise TypeError(f"not a node of PromQL: {expr!r}")


def write_length(length: Length) -> str:
    """Write a length of time."""
    return write_duration(length) if isinstance(length, int) else _arithmetic(length)


def write_matcher(matcher: Matcher) -> str:
    """Write one matcher; names that are no plain words stand in quotes."""
    return f"{_label(matcher.name)}{matcher.op}{quote(matcher.value)}"


def _label(name: str) -> str:
    return name if _LABEL.fullmatch(name) else quote(name)


def _labels(names: tuple[str, ...]) -> str:
    return ", ".join(_label(name) for name in names)


def _aggregate(node: Aggregate) -> str:
    word = "without" if node.without else "by"
    grouping = f" {word} ({_labels(node.grouping)}) " if node.grouping or node.without else ""
    param = f"{write(node.param)}, " if node.param is not None else ""
    return f"{node.op}{grouping}({param}{write(node.expr)})"


def _matching(matching: Matching | None) -> str:
    if matching is None:
        return ""
    written = []
    grouped = matching.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
    if matching.on or matching.labels or grouped:
        written.append(f"{'on' if matching.on else 'ignoring'} ({_labels(matching.labels)})")
    if grouped:
        side = "left" if matching.cardinality is Cardinality.MANY_TO_ONE else "right"
        written.append(f"group_{side} ({_labels(matching.include)})")
    if matching.fill_left is not None:
        written.append(f"fill_left ({write_number(matching.fill_left)})")
    if matching.fill_right is not None:
        written.append(f"fill_right ({write_number(matching.fill_right)})")
    return "".join(f" {part}" for part in written)


def _plain(name: str) -> bool:
    # A metric named Inf or NaN would be read as a number.
    return _METRIC.fullmatch(name) is not None and name.lower() not in ("inf", "nan")


def _selector(node: VectorSelector) -> str:
    name, rest = "", node.matchers
    if rest and rest[0].name == NAME and rest[0].op is MatchOp.EQUAL and _plain(rest[0].value):
        name, rest = rest[0].value, rest[1:]
    inner = ", ".join(write_matcher(matcher) for matcher in rest)
    return f"{name}{{{inner}}}" if inner or not name else name


def _shift(offset: Length, at: int | str | None) -> str:
    written = ""
    if offset:
        written += (
            f" offset {write_duration(offset)}" if isinstance(offset, int) else f" offset ({_arithmetic(offset)})"
        )
    if isinstance(at, str):
        written += f" @ {at}()"
    elif at is not None:
        written += f" @ {at / 1000:.3f}"
    return written


def _arithmetic(node: DurationExpr | float) -> str:
    if not isinstance(node, DurationExpr):
        return write_number(node) if node >= 0 else f"({write_number(node)})"
    match node.op, node.args:
        case "step" | "range", _:
            return f"{node.op}()"
        case "neg", (inner,):
            return f"(-{_arithmetic(inner)})"
        case "min_of" | "max_of", (a, b):
            return f"{node.op}({_arithmetic(a)}, {_arithmetic(b)})"
        case op, (a, b):
            return f"({_arithmetic(a)} {op} {_arithmetic(b)})"
        case _:
            raise TypeError(f"not a duration: {node!r}")
