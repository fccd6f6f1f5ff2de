"""promql/vector-matching: the two sides of an operator should be able to find each other.

Why
    Elements meet where all their labels are equal. A series and a sum have never the same labels, so their quotient is
    empty, and a comparison with nothing never fires.

Bad
    - alert: Errors
      expr: rate(errors_total[5m]) / sum(rate(requests_total[5m])) > 0.05
      labels: {severity: warning}

Bad too
    sum by (job) (errors) / sum by (instance) (requests) > 0.05
    errors{code="500"} / errors{code="200"} > 0.05

Good
    - alert: Errors
      expr: sum(rate(errors_total[5m])) / sum(rate(requests_total[5m])) > 0.05
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.carried import Carried, carried
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import (
    Aggregate,
    Binary,
    Call,
    Cardinality,
    Expr,
    Matching,
    MatrixSelector,
    Paren,
    Subquery,
    Unary,
    VectorSelector,
    walk,
)

SEVERITY = Severity.ERROR

_RELABELING = frozenset({"label_replace", "label_join", "absent", "absent_over_time", "info"})


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag an operator between vectors of which one has labels that the other cannot have."""
    for query in rule.queries:
        for node in query.binaries:
            if node.lhs.type == "vector" and node.rhs.type == "vector" and node.op != "or":
                yield from _apart(query, node)


def _apart(query: Query, node: Binary) -> Iterator[Flaw]:
    matching = node.matching or Matching()
    if label := _differing(node, matching):
        one, other = _fixed(node.lhs)[label], _fixed(node.rhs)[label]
        says = f'{label} is "{one}" on one side and "{other}" on the other: nothing matches'
        yield Flaw(query.at(node), says, f"add up each side without {label}, or write {node.op} ignoring ({label})")
        return
    one_to_many = matching.cardinality in (Cardinality.MANY_TO_ONE, Cardinality.ONE_TO_MANY)
    if matching.on or one_to_many or matching.fill_left is not None or matching.fill_right is not None:
        return
    ignored = frozenset(matching.labels)
    left, right = carried(node.lhs).drop(ignored), carried(node.rhs).drop(ignored)
    if left.only is not None and right.only is not None:
        if bool(left.only - right.only) and bool(right.only - left.only):
            says = f"one side has {_words(left.only)}, the other {_words(right.only)}: nothing matches"
            yield Flaw(query.at(node), says, "group both sides by the same labels, or match on those that they share")
        return
    for summed, series in ((left, node.rhs), (right, node.lhs)):
        if _is_bare(summed) and not ignored and _has_labels(series):
            says = f"{query.written(series)} has the labels of its series, the other side has none: nothing matches"
            fix = f"write {node.op} on ()" if node.op.sets else "aggregate both sides alike, or add on () group_left ()"
            yield Flaw(query.at(node), says, fix)


def _differing(node: Binary, matching: Matching) -> str:
    """Return a label by which the sides are matched, and that is surely another one on each; "" where there is none."""
    if node.op == "unless" or not (left := _fixed(node.lhs)):
        return ""
    right, labels = _fixed(node.rhs), frozenset(matching.labels)
    wanted = (name for name, value in left.items() if right.get(name, value) != value)
    return next((name for name in wanted if (name in labels) is matching.on), "")


def _fixed(expr: Expr) -> dict[str, str]:
    """Return the labels that each element surely has, and has with this value: those that its selector asks for."""
    match expr:
        case VectorSelector(matchers=matchers):
            return {m.name: m.value for m in matchers if m.op == "=" and m.value and m.name != "__name__"}
        case MatrixSelector(selector=inner) | Subquery(expr=inner) | Paren(expr=inner) | Unary(expr=inner):
            return _fixed(inner)
        case Call(function=function, args=args) if function not in _RELABELING:
            vectors = [arg for arg in args if arg.type in ("vector", "matrix")]
            return _fixed(vectors[0]) if vectors else {}
        case Aggregate(expr=inner) if expr.op != "count_values":
            kept = carried(expr)
            return {name: value for name, value in _fixed(inner).items() if not kept.lacks(name)}
        case Binary(op=op, lhs=lhs, rhs=rhs) if rhs.type == "scalar" or op in ("and", "unless"):
            return _fixed(lhs)
        case _:
            return {}


def _is_bare(side: Carried) -> bool:
    return side.only == frozenset()


def _has_labels(expr: Expr) -> bool:
    """Say whether each element surely has a label: series that are looked at have, those that rules record may not."""
    found = carried(expr)
    if found.only is not None:
        return False
    selectors = [node for node in walk(expr) if isinstance(node, VectorSelector)]
    return bool(selectors) and all(_is_scraped(selector) for selector in selectors)


def _is_scraped(selector: VectorSelector) -> bool:
    named = bool(selector.name) and ":" not in selector.name and not selector.name.startswith("ALERTS")
    return named or any(m.op == "=" and m.value and m.name != "__name__" for m in selector.matchers)


def _words(labels: frozenset[str]) -> str:
    return ", ".join(sorted(labels)) or "no labels"
