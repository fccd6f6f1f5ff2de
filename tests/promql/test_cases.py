"""Our own case files: each function and aggregation by its documentation, edges included."""

from __future__ import annotations

import re

import pytest

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.promql import Aggregate, Call, parse, walk
from sentinel.promql.evaluate import evaluate, evaluate_instant
from sentinel.promql.signatures import AGGREGATIONS, FUNCTIONS
from tests.promql.cases import Ask, asks
from tests.promql.promqltest import same

_ASKS = list(asks())


@pytest.mark.parametrize("ask", _ASKS, ids=str)
def test_case(ask: Ask) -> None:
    """The expression gives what the file says, and the same as the middle step of a range query."""
    if ask.gives == "error":
        with pytest.raises(QueryInvalid):
            evaluate_instant(parse(ask.expr), ask.block, ask.at_ms)
        return
    assert not isinstance(ask.gives, str)
    expected = ask.gives if isinstance(ask.gives, dict) else {Labels(): ask.gives}
    expr = parse(ask.expr)
    got = dict(evaluate_instant(expr, ask.block, ask.at_ms).latest())
    assert set(got) == set(expected)
    assert all(same(expected[labels], value) for labels, value in got.items()), got
    if re.search(r"\b(start|end|step|range)\(\)", ask.expr):  # of the query, which is another one then
        return
    ranged = evaluate(expr, ask.block, ask.at_ms - 60_000, ask.at_ms + 60_000, 60_000)
    middle = {
        labels: float(ranged.values[row, 1]) for row, labels in enumerate(ranged.labels) if ranged.present[row, 1]
    }
    assert set(middle) == set(expected)
    assert all(same(expected[labels], value) for labels, value in middle.items()), middle


def test_every_function_and_aggregation_has_a_case() -> None:
    """Nothing is documented that no case asks for."""
    asked: set[str] = set()
    for ask in _ASKS:
        try:
            nodes = list(walk(parse(ask.expr)))
        except QueryInvalid:
            continue
        asked |= {node.function for node in nodes if isinstance(node, Call)}
        asked |= {node.op for node in nodes if isinstance(node, Aggregate)}
    assert (set(FUNCTIONS) | set(AGGREGATIONS)) - asked == set()
