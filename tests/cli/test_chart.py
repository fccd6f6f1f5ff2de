"""The chart: what is drawn where."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.cli.chart import Line, Run, draw


def text(rows: list[list[Run]]) -> list[str]:
    """Return the rows without their colours."""
    return ["".join(run.text for run in row) for row in rows]


def test_a_ramp_goes_from_corner_to_corner() -> None:
    """The least value is at the bottom left, the greatest at the top right; the scale names both."""
    rows = text(draw([Line("x", [(float(at), at / 10) for at in range(0, 601, 60)])], 0, 600, 60, 20, 4))
    assert rows == [
        "60 ┤            ⢀⠤⠒⠉",
        "   ┤        ⢀⡠⠔⠊⠁",
        "30 ┤   ⢀⡠⠔⠒⠊⠁",
        " 0 ┤⣀⠤⠒⠁",
        "   └────────────────",
        "    00:00 UTC 00:10 UTC",
    ]


def test_a_gap_is_left_empty() -> None:
    """Nothing joins points that are further apart than a step, nor over what is not a number."""
    points = [(0.0, 1.0), (10.0, 1.0), (30.0, 1.0), (40.0, math.nan), (50.0, 1.0)]
    [plot, *_] = text(draw([Line("x", points)], 0, 50, 10, 60, 1))
    shown = plot.partition("┤")[2]
    assert shown.strip("⠀ ").count(" ") > 10
    assert len(shown.split()) == 3


def test_lines_keep_their_numbers() -> None:
    """So that each can have its colour."""
    lines = [Line("low", [(0.0, 0.0), (10.0, 0.0)]), Line("high", [(0.0, 9.0), (10.0, 9.0)])]
    rows = draw(lines, 0, 10, 10, 30, 5)
    assert [{run.line for run in row if run.text.strip()} - {None} for row in rows[:5]] == [
        {1},
        set(),
        set(),
        set(),
        {0},
    ]


@pytest.mark.parametrize("value", [0.0, 5.0, -3.0, 1e300, 5e-324])
def test_a_constant_is_drawn_in_the_middle(value: float) -> None:
    """With room above and below."""
    rows = text(draw([Line("x", [(0.0, value), (10.0, value)])], 0, 10, 10, 30, 5))
    assert [bool(row.partition("┤")[2].strip()) for row in rows[:5]] == [False, False, True, False, False]


@given(
    st.lists(st.lists(st.tuples(st.floats(0, 1000), st.floats()), max_size=20), max_size=4),
    st.integers(1, 120),
    st.integers(1, 20),
)
def test_anything_can_be_drawn(series: list[list[tuple[float, float]]], width: int, height: int) -> None:
    """Every value finds its place, and no row is wider than asked, unless that is too narrow for anything."""
    rows = draw([Line("x", sorted(points)) for points in series], 0, 1000, 10, width, height)
    assert len(rows) == height + 2
    assert all(len("".join(run.text for run in row)) <= max(width, 40) for row in rows[:height])
