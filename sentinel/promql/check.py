"""What may stand where: types and modifiers, in the words of Prometheus where it has good ones."""

from __future__ import annotations

import re

from sentinel.core.errors import QueryInvalid
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Matching,
    MatrixSelector,
    Operator,
    Paren,
    Unary,
    ValueType,
    VectorSelector,
)
from sentinel.promql.signatures import AGGREGATIONS, ANCHORED, FUNCTIONS

_SCALAR, _VECTOR, _MATRIX, _STRING = ValueType


def check_call(call: Call) -> Call:
    """Return the call if number and types of its arguments fit."""
    signature = FUNCTIONS[call.function]
    count = len(call.args)
    if not signature.least <= count <= signature.most:
        wanted = str(signature.least) if signature.least == signature.most else f"{signature.least} or more"
        if signature.optional and signature.repeats == 1:
            wanted = f"{signature.least} or {signature.most}"
        noun = "argument" if wanted == "1" else "arguments"
        raise QueryInvalid(
            f"{call.function}() takes {wanted} {noun}, not {count}", call.start, call.end, f"write {signature}"
        )
    expected = [signature.expects(index) for index in range(count)]
    given = [arg.type for arg in call.args]
    if given != expected and sorted(given) == sorted(expected):
        raise QueryInvalid(
            f"the arguments of {call.function}() stand in another order", call.start, call.end, f"write {signature}"
        )
    for arg, wanted in zip(call.args, expected, strict=True):
        if arg.type is not wanted:
            raise _mistyped(arg, wanted, f'call to function "{call.function}"')
        if wanted is _MATRIX and call.function not in ANCHORED and _is_anchored(arg):
            raise QueryInvalid(
                f"anchored modifier can only be used with: {', '.join(ANCHORED)} - not with {call.function}",
                arg.start,
                arg.end,
            )
    return call


def _is_anchored(arg: Expr) -> bool:
    inner = unwrap(arg)
    return isinstance(inner, MatrixSelector) and inner.anchored


def check_aggregate(
    op: str, args: tuple[Expr, ...], grouping: tuple[str, ...], without: bool, start: int, end: int
) -> Aggregate:
    """Return the aggregation if it has the arguments that it needs."""
    param = AGGREGATIONS[op].param
    wanted = 1 if param is None else 2
    if len(args) != wanted:
        example = f"{op}(x)" if param is None else f"{op}({'label' if param == _STRING else 'k'}, x)"
        noun = "argument" if wanted == 1 else "arguments"
        raise QueryInvalid(f"{op} takes {wanted} {noun}, not {len(args)}", start, end, f"write {example}")
    if param is not None and args[0].type is not param:
        raise _mistyped(args[0], param, f"aggregation parameter of {op}")
    if args[-1].type is not _VECTOR:
        raise _mistyped(args[-1], _VECTOR, f"aggregation {op}")
    return Aggregate(op, args[-1], args[0] if param else None, grouping, without, start=start, end=end)


def check_unary(node: Unary) -> Unary:
    """Return the node if a sign may stand before its operand."""
    if node.expr.type not in (_SCALAR, _VECTOR):
        raise QueryInvalid(
            f"a sign may stand before a scalar or an instant vector, not before a {node.expr.type.words}",
            node.start,
            node.end,
        )
    return node


#: What holds where nothing is said of matching.
_PLAIN, _SETS = Matching(), Matching(cardinality=Cardinality.MANY_TO_MANY)


def check_binary(node: Binary, op_start: int, op_end: int) -> Binary:
    """Settle the matching of a node that was just made, and return it, if the operator fits its operands."""
    for side in (node.lhs, node.rhs):
        if side.type not in (_SCALAR, _VECTOR):
            fix = "write a function around it, such as rate()" if side.type == _MATRIX else "remove the quotes"
            if str(node.op) == "-" and node.lhs.end == op_start and op_end == node.rhs.start:
                fix = 'a metric has no "-" in its name; write _'
            raise QueryInvalid(
                f"{node.op} takes scalars and instant vectors, not a {side.type.words}", side.start, side.end, fix
            )
    vectors = node.lhs.type is _VECTOR is node.rhs.type
    if wrong := _wrong_operator(node, vectors) or (node.matching and _wrong_matching(node.op, node.matching)):
        raise QueryInvalid(wrong[0], op_start, op_end, wrong[1])
    if vectors and node.op.sets:
        node.matching = node.matching._replace(cardinality=Cardinality.MANY_TO_MANY) if node.matching else _SETS
    elif vectors:
        node.matching = node.matching or _PLAIN
    return node


def _wrong_operator(node: Binary, vectors: bool) -> tuple[str, str] | None:
    """Return what is wrong with the operator, and a proposal."""
    if node.return_bool and not node.op.compares:
        return "bool modifier can only be used on comparison operators", "remove `bool`"
    if vectors:
        return None
    if node.op.compares and not node.return_bool and node.type == _SCALAR:
        return "comparisons between scalars must use the bool modifier", f"write {node.op} bool"
    if node.op.sets:
        return f"{node.op} works on two instant vectors only", "write vector(…) around a scalar"
    if node.matching is not None:
        return "matching is only allowed between instant vectors", "remove on, ignoring, group_… and fill"
    return None


def _wrong_matching(op: Operator, matching: Matching) -> tuple[str, str] | None:
    """Return what is wrong between two vectors, and a proposal."""
    if op.sets and matching.cardinality is not Cardinality.ONE_TO_ONE:
        return f"no grouping allowed for the set operator {op}", "remove group_left or group_right"
    if op.sets and (matching.fill_left is not None or matching.fill_right is not None):
        return f"no fill allowed for the set operator {op}", "remove fill"
    if matching.on and (twice := set(matching.labels) & set(matching.include)):
        return f"label {min(twice)!r} must not occur in on and group clause at once", "remove it from one"
    return None


def misfit_of_rule(expr: Expr) -> tuple[str, str] | None:
    """Return why what an expression gives is nothing that a rule can judge, and a proposal; None where it can."""
    if expr.type in (_VECTOR, _SCALAR):
        return None
    gives = {_MATRIX: "range of samples", _STRING: "text"}[expr.type]
    says = f"should give a number for each label set, and gives a {gives}"
    if expr.type == _STRING:
        return says, "remove the inner quotes"
    return says, "wrap a range in a function such as increase(…[5m])"


def unwrap(expr: Expr) -> Expr:
    """Return what stands inside of all parentheses."""
    while isinstance(expr, Paren):
        expr = expr.expr
    return expr


def _mistyped(arg: Expr, wanted: ValueType, place: str) -> QueryInvalid:
    from sentinel.promql.write import write

    fix = ""
    if wanted == _MATRIX and isinstance(unwrap(arg), VectorSelector):
        fix = f"add a range: {write(unwrap(arg))}[5m]"
    elif wanted == _MATRIX and arg.type == _VECTOR:
        fix = "add a range, which makes it a subquery: [5m:]"
    elif wanted == _VECTOR and isinstance(inner := unwrap(arg), MatrixSelector):
        fix = f"remove the range, or write a function around it: rate({write(inner)})"
    elif arg.type == _STRING:
        fix = "remove the quotes"
    elif wanted == _SCALAR and (share := re.fullmatch(r"[pP](\d+)", write(arg))):
        fix = f"write {float(share[1]) / 10 ** len(share[1]):g}"
    elif wanted == _VECTOR and arg.type == _SCALAR:
        fix = "write vector(…) around it"
    elif wanted == _SCALAR and arg.type == _VECTOR:
        fix = "write scalar(…) around it"
    return QueryInvalid(f"expected type {wanted.words} in {place}, got {arg.type.words}", arg.start, arg.end, fix)
