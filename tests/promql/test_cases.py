"""Our own case files: each function and aggregation by its documentation, edges included."""

from __future__ import annotations

import re

import pytest

from sentinel.core.errors import QueryInvalid
from sentinel.core.labels import Labels
from sentinel.promql import parse, walk
from sentinel.promql.evaluate import evaluate, evaluate_instant
from sentinel.promql.signatures import AGGREGATIONS, FUNCTIONS
from tests.promql.cases import FOLDER, Ask, asks
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


def test_every_function_and_aggregation_has_a_file_of_its_own() -> None:
    """Nothing is documented without a case file of its name, in which it is asked for."""
    for folder, names in (("functions", FUNCTIONS), ("aggregations", AGGREGATIONS)):
        files = {path.stem for path in (FOLDER / folder).glob("*.yaml")}
        assert files == set(names)
        for name in names:
            nodes = [node for ask in _ASKS if ask.file == name for node in walk(parse(ask.expr))]
            assert any(name in (getattr(node, "function", ""), getattr(node, "op", "")) for node in nodes), name
