"""Behind: which series go into an element is found as if each were looked at, and without a look at each."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.labels import NAME, Labels
from sentinel.promql import parse
from sentinel.rules.behind import Behind
from sentinel.rules.form import Compiled
from tests.dice import rolls

_VALUES = st.sampled_from(["", "x", "y"])
SERIES = st.builds(lambda a, b, c: Labels.of({NAME: "up", "a": a, "b": b, "c": c}), _VALUES, _VALUES, _VALUES)


def found(series: list[Labels], compiled: Compiled, element: Labels) -> list[Labels]:
    return [series[place] for place in Behind(series, compiled).of(element)]


@given(st.lists(SERIES, max_size=8), SERIES)
@rolls(40)
def test_of_a_free_expression_any_series_goes_in_that_contradicts_in_no_label(
    series: list[Labels], element: Labels
) -> None:
    """Those that have each label of the element with its value, or do not have it, in their order."""
    expected = [one for one in series if all(one.get(name) in ("", value) for name, value in element)]
    assert found(series, Compiled(parse("up"), loose=True), element) == expected


@given(st.lists(SERIES, max_size=8), SERIES)
@rolls(40)
def test_of_a_form_those_go_in_whose_labels_it_keeps(series: list[Labels], element: Labels) -> None:
    """All labels but the name where it groups by none, else those that it groups by."""
    plain = element.unnamed
    assert found(series, Compiled(parse("up")), plain) == [one for one in series if one.unnamed == plain]
    by_a = element.only("a")
    assert found(series, Compiled(parse("up"), by=("a",)), by_a) == [one for one in series if one.only("a") == by_a]


def test_ten_thousand_elements_find_their_series_without_a_look_at_each() -> None:
    """A probe that fails under ten thousand alerts must not hold the desk: each pair would be a hundred million."""
    series = [Labels.of({NAME: "down", "job": "jobs", "n": str(number)}) for number in range(10_000)]
    for loose in (False, True):
        behind, began = Behind(series, Compiled(parse("down"), loose=loose)), time.process_time()
        assert all(list(behind.of(labels.unnamed)) == [place] for place, labels in enumerate(series))
        assert time.process_time() - began < 2
