"""View: one rule as checks see it, the same whether it stands under `rules:` or under `groups:`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sentinel.config.offsets import place, span, verbatim
from sentinel.config.tree import MappingNode, Node, ScalarNode
from sentinel.core.problem import Edit, Position
from sentinel.core.severity import Severity
from sentinel.lint.reach import possible, reach
from sentinel.promql.ast import Aggregate, Binary, Call, Expr, MatrixSelector, Subquery, VectorSelector

if TYPE_CHECKING:
    from sentinel.config.substitute import Filled
    from sentinel.rules.rule import Rule

_NOTHING = timedelta()


@dataclass(slots=True, eq=False)
class Query:
    """A PromQL text that somebody wrote: its tree, and where each part of it stands.

    Args:
        expr: the tree.
        scalar: where it is written.
        key: of the text: "expr", "of", "to".
        filled: the text after substitution, where something was filled in.
        comparisons: those that filter, and whether each can hold: always, never, or at times (None).
    """

    expr: Expr
    scalar: ScalarNode
    key: str = "expr"
    filled: Filled | None = None
    nodes: list[Expr] = field(default_factory=list)
    selectors: list[VectorSelector] = field(default_factory=list)
    ranges: list[MatrixSelector] = field(default_factory=list)
    subqueries: list[Subquery] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    aggregates: list[Aggregate] = field(default_factory=list)
    binaries: list[Binary] = field(default_factory=list)
    comparisons: list[tuple[Binary, bool | None]] = field(default_factory=list)
    _above: dict[int, Expr] = field(default_factory=dict)
    _verbatim: int | None = None

    def __post_init__(self) -> None:
        """Walk the tree once, for all checks; the lists are in the order of the text, outer before inner."""
        self._verbatim = verbatim(self.scalar)
        kinds: dict[type[Expr], Any] = {
            VectorSelector: self.selectors,
            MatrixSelector: self.ranges,
            Subquery: self.subqueries,
            Call: self.calls,
            Aggregate: self.aggregates,
            Binary: self.binaries,
        }
        waiting = [self.expr]
        while waiting:
            node = waiting.pop()
            self.nodes.append(node)
            if (own := kinds.get(type(node))) is not None:
                own.append(node)
            for child in reversed(node.children):
                self._above[id(child)] = node
                waiting.append(child)
        filters = (node for node in self.binaries if node.op.compares and not node.return_bool)
        self.comparisons = [(node, possible(node.op, reach(node.lhs), reach(node.rhs))) for node in filters]

    def above(self, node: Expr) -> Expr | None:
        """Return what a node stands in; None for the whole."""
        return self._above.get(id(node))

    @property
    def text(self) -> str:
        """The text, everything filled in."""
        return self.filled.text if self.filled else self.scalar.text

    def written(self, node: Expr) -> str:
        """Return a node as it was written."""
        return self.text[node.start : node.end]

    def at(self, node: Expr) -> Position:
        """Return where a node stands in the file."""
        return self.part(node.start, node.end)

    def span(self, node: Expr) -> tuple[int, int]:
        """Return the offsets of a node in the file."""
        if self._verbatim is not None and not self.filled:
            return self._verbatim + node.start, self._verbatim + node.end
        at = self.at(node)
        begin = self.scalar.file.offset(at.line, at.column)
        return begin, begin + at.width

    def part(self, begin: int, end: int) -> Position:
        """Return where a part of the text stands in the file."""
        if self.filled:
            return self.filled.place(begin, end)
        if self._verbatim is not None and begin < end:
            return self.scalar.file.position(self._verbatim + begin, self._verbatim + end)
        return place(self.scalar, begin, end)

    def edit(self, begin: int, end: int, text: str) -> Edit | None:
        """Return what puts a text in the place of a part; None where that is not one piece of the file."""
        found = None if self.filled else span(self.scalar, begin, end)
        return Edit(*found, text) if found else None


class Written(NamedTuple):
    """A template of a rule.

    Args:
        key: of the text.
        text: as it stands in YAML, the escapes resolved.
        node: where.
        names_alert: whether it becomes a label, and so a part of what the alert is.
    """

    key: str
    text: str
    node: Node
    names_alert: bool

    def at(self, begin: int, end: int) -> Position:
        """Return where a part of it stands in the file."""
        return place(self.node, begin, end) if isinstance(self.node, ScalarNode) else self.node.position


@dataclass(slots=True, eq=False)
class RuleView:
    """One rule.

    Args:
        kind: "rule" (of ours), "alert" or "record" (of Prometheus's).
        name: of the rule, of the alert, or of the series that is recorded.
        node: its mapping.
        key: what to point at where the whole rule is meant.
        queries: the PromQL in it that can be read.
        form: our form's word, "expr" for those of Prometheus.
        labels: its own, a group's among them; templates.
        texts: annotations, or summary, description, runbook, dashboard; templates.
        levels: the severities that it has.
        hold_for: `for`; the longest where there are several.
        keep_firing_for: likewise.
        interval: that its group says; None where it says none, and for a rule of ours.
        group: name of its group, "" for one of ours.
        rule: what was made of it, of ours only.
        templates: its labels and texts that are filled in.
    """

    kind: str
    name: str
    node: MappingNode
    key: ScalarNode
    queries: Sequence[Query]
    form: str = "expr"
    labels: Mapping[str, str] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)
    levels: Sequence[Severity] = ()
    hold_for: timedelta = _NOTHING
    keep_firing_for: timedelta = _NOTHING
    interval: timedelta | None = None
    group: str = ""
    rule: Rule | None = None
    templates: Sequence[Written] = field(init=False)

    def __post_init__(self) -> None:
        """Find the texts that are filled in, once for all checks."""
        self.templates = tuple(self._templates())

    def _templates(self) -> Iterator[Written]:
        """Yield the texts that are filled in; those of a group or of a folder's defaults are left out."""
        under = ("annotations",) if self.kind == "alert" else ()
        for key, text in self.texts.items():
            if ("{{" in text or "{%" in text) and (node := self.find(*under, key)) is not None:
                yield Written(key, text, node, names_alert=False)
        for key, text in self.labels.items():
            if "{{" in text and (node := self.find("labels", key)) is not None:
                yield Written(key, text, node, names_alert=True)

    @property
    def alerts(self) -> bool:
        """Whether it can wake anybody."""
        return self.kind != "record"

    @property
    def whole(self) -> Query | None:
        """The expression that says all: of `expr`, of an alert, of a recording; None for our other forms."""
        return self.queries[0] if self.queries and self.queries[0].key == "expr" else None

    def find(self, *path: str) -> Node | None:
        """Return what stands under these keys, None where nothing does."""
        found: Node | None = self.node
        for key in path:
            found = found.values.get(key) if isinstance(found, MappingNode) else None
        return found

    def at(self, *path: str) -> Node:
        """Return what stands under these keys; where nothing does, what to point at for the whole rule."""
        return self.find(*path) or self.key

    def key_at(self, *path: str) -> ScalarNode:
        """Return the last of these keys; where it is not there, what to point at for the whole rule."""
        above = self.find(*path[:-1])
        return above.keys.get(path[-1], self.key) if isinstance(above, MappingNode) else self.key


class GroupView(NamedTuple):
    """A group of a Prometheus rule file, with the rules that can be read."""

    name: str
    node: MappingNode
    rules: Sequence[RuleView]
    interval: timedelta
    limit: int = 0

    @property
    def key(self) -> Node:
        """What to point at where the whole group is meant."""
        return self.node.values.get("name", self.node)
