"""The rule files that a file of promtool's tests names, made ready to be evaluated at its interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sentinel.config.files import read_files
from sentinel.config.findings import Findings
from sentinel.config.gather import gather
from sentinel.config.groups import build_groups
from sentinel.config.promtool import Keys
from sentinel.config.provenance import Provenance
from sentinel.config.source import SourceFile
from sentinel.core.labels import NAME
from sentinel.core.problem import Problem
from sentinel.core.severity import Severity
from sentinel.promql import (
    Aggregate,
    Binary,
    Call,
    Expr,
    MatrixSelector,
    Number,
    Paren,
    Subquery,
    Unary,
    ValueType,
    VectorSelector,
    reads,
    walk,
)
from sentinel.promql.signatures import FUNCTIONS
from sentinel.rules.grouped import Alerting, Recording, RuleGroup
from sentinel.rules.rewrite import Looking, rewritten

#: A newest value counts for five minutes, however far apart its rule is evaluated: as if that were so often.
OFTEN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class RuleFiles:
    """What was read.

    Args:
        groups: in the order in which they are evaluated.
        problems: what is wrong: every test fails then.
        unmatched: patterns that name no file.
    """

    groups: tuple[RuleGroup, ...]
    problems: tuple[Problem, ...]
    unmatched: tuple[str, ...]


def read_rule_files(keys: Keys, folder: Path, base: Path) -> RuleFiles:
    """Read the files that a test file names.

    Args:
        keys: of the test file.
        folder: that it lies in.
        base: what shown paths are relative to.
    """
    paths: dict[Path, None] = {}
    unmatched = []
    for pattern in keys.rule_files:
        found = sorted(folder.glob(pattern)) if not Path(pattern).is_absolute() else _absolute(Path(pattern))
        paths |= dict.fromkeys(found)
        unmatched += [] if found else [pattern]
    texts, unreadable = read_files([path for path in paths if path.is_file()], base)
    files = [SourceFile(path, text) for path, text in texts.items()]
    findings = Findings({file.path: file for file in files})
    findings.extend(unreadable)
    groups = build_groups(gather(files, findings).groups, (), findings, Provenance(), "")
    order = {name: place for place, name in enumerate(keys.group_eval_order)}
    ordered = sorted(groups, key=lambda group: order.get(group.name, 0))
    problems = tuple(problem for problem in findings.sorted() if problem.severity >= Severity.ERROR)
    return RuleFiles(tuple(_ready(group, keys) for group in ordered), problems, tuple(unmatched))


def _absolute(pattern: Path) -> list[Path]:
    return sorted(Path(pattern.anchor).glob(str(pattern.relative_to(pattern.anchor))))


def _ready(group: RuleGroup, keys: Keys) -> RuleGroup:
    return replace(group, rules=tuple(_stepped(rule, keys) for rule in group.rules), interval=OFTEN)


def _stepped(rule: Alerting | Recording, keys: Keys) -> Alerting | Recording:
    return replace(rule, query=stepped(rule.query, keys.evaluation_interval))


def stepped(expr: Expr, step: timedelta) -> Expr:
    """Let subqueries that say no step have this one, as promtool's engine does."""

    def change(node: Looking) -> Expr:
        if not isinstance(node, Subquery):
            return node
        length = round(step.total_seconds() * 1000) if node.step is None else node.step
        return replace(node, expr=rewritten(node.expr, change), step=length)

    return rewritten(expr, change)


def closed_subqueries(expr: Expr) -> Expr:
    """Let subqueries begin at the instant at which Prometheus 2 lets them begin: times are whole milliseconds."""

    def change(node: Looking) -> Expr:
        if not isinstance(node, Subquery) or not isinstance(node.range, int):
            return node
        return replace(node, expr=rewritten(node.expr, change), range=node.range + 1)

    return rewritten(expr, change)


def metrics(expr: Expr) -> frozenset[str]:
    """Return the metrics that an expression reads; "" among them is any."""
    named = ([m.value for m in read.matchers if m.name == NAME and m.op == "="] for read in reads(expr))
    return frozenset(found[0] if found else "" for found in named)


def foresees(expr: Expr) -> bool:
    """Say whether an expression may see what comes after its instant: by `@`, or an offset into the future."""
    looking = (node for node in walk(expr) if isinstance(node, (VectorSelector, MatrixSelector, Subquery)))
    return any(_is_odd(node) for node in looking)


def _is_odd(node: Looking) -> bool:
    offset = getattr(node, "offset", 0)
    return getattr(node, "at", None) is not None or not isinstance(offset, (int, float)) or offset < 0


def asks(rule: Alerting | Recording) -> bool:
    """Say whether a template of a rule asks PromQL."""
    texts: Sequence[str] = (*rule.own_labels.values(), *getattr(rule, "annotations", {}).values())
    return any("query" in text for text in texts)


def outputs(rule: Alerting | Recording) -> frozenset[str]:
    """Return the metrics that a rule writes."""
    return frozenset({rule.record}) if isinstance(rule, Recording) else frozenset({"ALERTS", "ALERTS_FOR_STATE"})


def harmless(expr: Expr) -> bool:
    """Say whether evaluating an expression can never fail: it joins no series, and makes no two of them the same."""
    match expr:
        case Number():
            return True
        case VectorSelector():
            return bool(expr.name)
        case MatrixSelector(selector=inner) | Paren(expr=inner) | Unary(expr=inner):
            return harmless(inner)
        case Aggregate(expr=inner, param=None):
            return harmless(inner)
        case Binary(lhs=lhs, rhs=rhs):
            return ValueType.SCALAR in (lhs.type, rhs.type) and harmless(lhs) and harmless(rhs)
        case Call(function=name, args=args):
            takes = tuple(kind for kind, _ in FUNCTIONS[name].takes)
            alone = takes in ((), (ValueType.SCALAR,), (ValueType.VECTOR,), (ValueType.MATRIX,))
            return alone and all(map(harmless, args))
        case _:
            return False
