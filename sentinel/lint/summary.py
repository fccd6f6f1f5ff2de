"""Summary: what the checks of a whole tree must know of one rule; small and plain, so that it can be kept and sent."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sentinel.config.source import SourceFile
from sentinel.config.tree import Node
from sentinel.core.labels import NAME, Matcher, MatchOp
from sentinel.core.problem import Position
from sentinel.lint.view import Query, RuleView
from sentinel.promql.ast import Call, MatrixSelector, Subquery, VectorSelector
from sentinel.promql.duration import resolve_ms

#: Offsets in the rule's file; few are ever asked for as a position.
Mark = Sequence[int]
_COMMENT = re.compile(r"#[^\n]*")


class Reads(NamedTuple):
    """One selector of a rule.

    Args:
        metric: its name, "" where a matcher other than = says it.
        matchers: [name, operator, value] each, that of the name left out.
        window_ms: of the range that it stands in, subqueries around it included; 0 for none.
        offset_ms: how far back it looks beyond that.
        function: the innermost call around it, "" for none.
        mark: where it stands.
    """

    metric: str
    matchers: Sequence[Sequence[str]]
    window_ms: int
    offset_ms: int
    function: str
    mark: Mark


class Summary(NamedTuple):
    """One rule.

    Args:
        source: the file where it stands.
        kind: "rule", "alert" or "record".
        name: of the rule, of the alert, or of the series that is recorded.
        group: of Prometheus's, "" for none.
        form: our form's word.
        expr: what it asks, without spaces: its expression and, of ours, its thresholds; "" where that cannot be read.
        labels: its own.
        severities: that it may have.
        hold_ms: its `for`.
        interval_ms: how often its group says that it is evaluated, 0 where it says nothing.
        reads: its selectors.
        mark: of its name.
        hold_mark: of its `for`; of its name where it has none.
        texts: names of its annotations, or of its summary, description, runbook and dashboard.
        runbook: as it is written, "" for none.
        runbook_mark: where.
    """

    source: SourceFile
    kind: str
    name: str
    group: str
    form: str
    expr: str
    labels: Mapping[str, str]
    severities: Sequence[str]
    hold_ms: int
    interval_ms: int
    reads: tuple[Reads, ...]
    mark: Mark
    hold_mark: Mark
    texts: Sequence[str] = ()
    runbook: str = ""
    runbook_mark: Mark = (0, 0)

    @property
    def file(self) -> str:
        """The path of its file."""
        return self.source.path

    @property
    def position(self) -> Position:
        """Where its name stands."""
        return self.at(self.mark)

    def at(self, mark: Mark) -> Position:
        """Return the position of a mark in its file."""
        return self.source.position(*mark)

    def as_data(self) -> list[Any]:
        """Return it as JSON would have it, without its file."""
        return list(self[1:])

    @classmethod
    def from_data(cls, source: SourceFile, data: list[Any]) -> Summary:
        """Return what `as_data` wrote of a rule in this file."""
        data[_READS] = tuple([Reads(*read) for read in data[_READS]])
        return cls(source, *data)


_READS = Summary._fields.index("reads") - 1


def summary_of(view: RuleView) -> Summary:
    """Return what is to be known of a rule."""
    runbook = next((name for name in ("runbook", "runbook_url") if name in view.texts), "")
    where = view.find("annotations", runbook) or view.find(runbook) if runbook else None
    return Summary(
        view.node.file,
        view.kind,
        view.name,
        view.group,
        view.form,
        _condition(view),
        dict(view.labels),
        tuple(map(str, view.levels)),
        round(view.hold_for.total_seconds() * 1000),
        round(view.interval.total_seconds() * 1000) if view.interval else 0,
        tuple(_reads(view)),
        _mark(view.key),
        _mark(view.at("for") if view.hold_for else view.key),
        tuple(view.texts),
        view.texts.get(runbook, ""),
        _mark(where) if where else (0, 0),
    )


def _condition(view: RuleView) -> str:
    if (rule := view.rule) is not None:
        return f"{rule.compiled.expr}{dict(rule.compiled.own)}{dict(rule.thresholds)}{rule.active}{rule.source}"
    text = view.whole.text if view.whole else ""
    return "".join((_COMMENT.sub("", text) if "#" in text else text).split())


def _mark(node: Node) -> Mark:
    return node.begin, node.end


def _reads(view: RuleView) -> list[Reads]:
    """Return what a rule reads: the selectors as they are written; what only its form asks for points at the form."""
    reads = [_read(query, selector) for query in view.queries for selector in query.selectors]
    if view.rule is None or view.form == "expr":
        return reads
    at = _mark(view.at(view.form, "over"))
    window = round(view.rule.compiled.window.total_seconds() * 1000)
    if reads:
        return [read._replace(window_ms=max(read.window_ms, window)) for read in reads]
    return [
        Reads(_name(own.matchers), _conditions(own.matchers), round(own.window.total_seconds() * 1000), 0, "", at)
        for own in view.rule.compiled.reads
    ]


def _name(matchers: Sequence[Matcher]) -> str:
    return next((one.value for one in matchers if one.name == NAME and one.op is MatchOp.EQUAL), "")


def _conditions(matchers: Sequence[Matcher]) -> tuple[tuple[str, str, str], ...]:
    return tuple((one.name, str(one.op), one.value) for one in matchers if one.name != NAME)


def _read(query: Query, selector: VectorSelector) -> Reads:
    window, offset, function = 0, _ms(selector.offset), ""
    above = query.above(selector)
    while above is not None:
        if isinstance(above, (MatrixSelector, Subquery)):
            window += _ms(above.range)
        if isinstance(above, Subquery):
            offset += _ms(above.offset)
        if isinstance(above, Call) and not function:
            function = above.function
        above = query.above(above)
    return Reads(selector.name, _conditions(selector.matchers), window, offset, function, query.span(selector))


def _ms(length: Any) -> int:
    try:
        return resolve_ms(length, 0, 0)
    except ValueError:
        return 0
