"""The tree of a PromQL expression: values, each with its place in the text.

Two trees are equal when they mean the same; places are not compared. `str(node)` is PromQL again. Nodes are not
frozen, since a frozen one takes thrice as long to make; once a tree is parsed, nobody writes to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.promql.signatures import FUNCTIONS, ValueType

__all__ = [
    "Aggregate",
    "Binary",
    "Call",
    "Cardinality",
    "DurationExpr",
    "Expr",
    "Length",
    "Matching",
    "MatrixSelector",
    "Number",
    "Operator",
    "Paren",
    "Subquery",
    "Text",
    "Unary",
    "ValueType",
    "VectorSelector",
    "walk",
]


class Operator(StrEnum):
    """A binary operator, as it is written."""

    ADD = "+"
    SUB = "-"
    MUL = "*"
    DIV = "/"
    MOD = "%"
    POW = "^"
    ATAN2 = "atan2"
    EQUAL = "=="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_EQUAL = "<="
    GREATER = ">"
    GREATER_EQUAL = ">="
    AND = "and"
    OR = "or"
    UNLESS = "unless"

    @property
    def compares(self) -> bool:
        """Whether it filters, or gives 0 and 1 with `bool`."""
        return self in _COMPARISONS

    @property
    def sets(self) -> bool:
        """Whether it works on sets of series and not on numbers."""
        return self in _SETS


_COMPARISONS = frozenset(
    {
        Operator.EQUAL,
        Operator.NOT_EQUAL,
        Operator.LESS,
        Operator.LESS_EQUAL,
        Operator.GREATER,
        Operator.GREATER_EQUAL,
    }
)
_SETS = frozenset({Operator.AND, Operator.OR, Operator.UNLESS})
# Python 3.11 finds a member of an enum by a call; trees are asked for these by the hundred thousand.
_SCALAR, _VECTOR, _MATRIX, _STRING = ValueType
_EQUAL = MatchOp.EQUAL


class Cardinality(StrEnum):
    """How many elements of one side may meet one of the other."""

    ONE_TO_ONE = "one-to-one"
    MANY_TO_ONE = "many-to-one"
    ONE_TO_MANY = "one-to-many"
    MANY_TO_MANY = "many-to-many"


@dataclass(slots=True, unsafe_hash=True, kw_only=True)
class Expr:
    """Any node: `start` and `end` are offsets in characters, `end` one past the last.

    No ABC: the walks ask `isinstance` a hundred times for each rule, and an ABC's answer costs ten times as much.
    """

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)

    @property
    def type(self) -> ValueType:
        """What evaluating it gives: an instant vector, unless a node says otherwise."""
        return _VECTOR

    @property
    def children(self) -> tuple[Expr, ...]:
        """The nodes directly below."""
        return ()

    def __str__(self) -> str:
        from sentinel.promql.write import write

        return write(self)


class DurationExpr(NamedTuple):
    """A length of time that is known only when the query is: it holds `step()` or `range()`.

    Args:
        op: "step", "range", "min_of", "max_of", an arithmetic operator, or "neg".
        args: none, one or two of the same, or plain seconds.
    """

    op: str
    args: tuple[DurationExpr | float, ...] = ()


#: A length of time in milliseconds, or an expression for one.
Length = int | DurationExpr


@dataclass(slots=True, unsafe_hash=True)
class Number(Expr):  # noqa: PLW1641 # its hash is the dataclass's
    """A number; a duration used as a number is its seconds."""

    value: float

    def __eq__(self, other: object) -> bool:
        """Say whether it is the same number; NaN is the same as itself, as it is to a tuple."""
        return isinstance(other, Number) and (self.value,) == (other.value,)

    @property
    def type(self) -> ValueType:
        """A scalar."""
        return _SCALAR


@dataclass(slots=True, unsafe_hash=True)
class Text(Expr):
    """A string."""

    value: str

    @property
    def type(self) -> ValueType:
        """A string."""
        return _STRING


@dataclass(slots=True, unsafe_hash=True)
class Paren(Expr):
    """An expression in parentheses."""

    expr: Expr
    type: ValueType = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        # Kept, not asked for each time: a chain of a thousand nodes must not recurse before its depth is checked.
        self.type = self.expr.type

    @property
    def children(self) -> tuple[Expr, ...]:
        """What is inside."""
        return (self.expr,)


@dataclass(slots=True, unsafe_hash=True)
class VectorSelector(Expr):
    """The newest sample of every series that fulfils the matchers.

    Args:
        matchers: conditions, the metric's name among them as `__name__`.
        offset: how much earlier than the evaluation to look.
        at: a fixed instant in Unix milliseconds, "start" or "end" of the query, or None.
    """

    matchers: tuple[Matcher, ...]
    offset: Length = 0
    at: int | str | None = None

    @property
    def name(self) -> str:
        """The metric's name where it is given as an equality, else ""."""
        for matcher in self.matchers:
            if matcher.name == NAME and matcher.op is _EQUAL:
                return matcher.value
        return ""


@dataclass(slots=True, unsafe_hash=True)
class MatrixSelector(Expr):
    """The samples of a window that ends at the evaluation; `anchored` adds the last one before it."""

    selector: VectorSelector
    range: Length
    anchored: bool = False

    @property
    def type(self) -> ValueType:
        """A range vector."""
        return _MATRIX

    @property
    def children(self) -> tuple[Expr, ...]:
        """The selector."""
        return (self.selector,)


@dataclass(slots=True, unsafe_hash=True)
class Subquery(Expr):
    """An expression evaluated at regular instants of a window; without `step`, every minute."""

    expr: Expr
    range: Length
    step: Length | None = None
    offset: Length = 0
    at: int | str | None = None

    @property
    def type(self) -> ValueType:
        """A range vector."""
        return _MATRIX

    @property
    def children(self) -> tuple[Expr, ...]:
        """The inner expression."""
        return (self.expr,)


@dataclass(slots=True, unsafe_hash=True)
class Call(Expr):
    """A function of PromQL, applied."""

    function: str
    args: tuple[Expr, ...]

    @property
    def type(self) -> ValueType:
        """What the function returns."""
        return FUNCTIONS[self.function].returns

    @property
    def children(self) -> tuple[Expr, ...]:
        """The arguments."""
        return self.args


@dataclass(slots=True, unsafe_hash=True)
class Aggregate(Expr):
    """An aggregation: `sum by (job) (expr)`; `param` is the k of `topk` and the like."""

    op: str
    expr: Expr
    param: Expr | None = None
    grouping: tuple[str, ...] = ()
    without: bool = False

    @property
    def children(self) -> tuple[Expr, ...]:
        """The parameter, if any, and the expression."""
        return (self.expr,) if self.param is None else (self.param, self.expr)


class Matching(NamedTuple):
    """How the elements of two vectors find each other.

    Args:
        on: whether `labels` are those that count (`on`), or those that do not (`ignoring`).
        labels: names.
        cardinality: one-to-one, or which side may have several.
        include: labels that `group_left` or `group_right` copies from the side of one.
        fill_left: value of a left element that is missing, or None.
        fill_right: value of a right element that is missing, or None.
    """

    on: bool = False
    labels: tuple[str, ...] = ()
    cardinality: Cardinality = Cardinality.ONE_TO_ONE
    include: tuple[str, ...] = ()
    fill_left: float | None = None
    fill_right: float | None = None


@dataclass(slots=True, unsafe_hash=True)
class Binary(Expr):
    """Two expressions and an operator; `matching` is None unless both are vectors."""

    op: Operator
    lhs: Expr
    rhs: Expr
    matching: Matching | None = None
    return_bool: bool = False
    type: ValueType = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        scalar = self.lhs.type == _SCALAR and self.rhs.type == _SCALAR
        self.type = _SCALAR if scalar else _VECTOR

    @property
    def children(self) -> tuple[Expr, ...]:
        """Left, right."""
        return (self.lhs, self.rhs)


@dataclass(slots=True, unsafe_hash=True)
class Unary(Expr):
    """A sign before an expression."""

    op: str
    expr: Expr
    type: ValueType = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        self.type = self.expr.type

    @property
    def children(self) -> tuple[Expr, ...]:
        """The expression."""
        return (self.expr,)


def walk(expr: Expr) -> Iterator[Expr]:
    """Iterate over the node and all below it, as they are read."""
    waiting = [expr]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.children))
