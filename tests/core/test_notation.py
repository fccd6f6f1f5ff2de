"""Series notation: many values in few characters."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.notation import Value, parse_values


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("1 2.5 -3", [1, 2.5, -3]),
        ("0+10x5", [0, 10, 20, 30, 40, 50]),
        ("100-20x2", [100, 80, 60]),
        ("-2+1x2", [-2, -1, 0]),
        ("7x3", [7, 7, 7, 7]),
        ("0x2", [0, 0, 0]),
        ("1 _ 3 _x2", [1, None, 3, None, None]),
        ("1 stale", [1, "stale"]),
        ("1e3 Inf -Inf", [1000, math.inf, -math.inf]),
    ],
)
def test_values(text: str, expected: list[Value]) -> None:
    assert parse_values(text) == expected


def test_nan_is_a_value() -> None:
    (value,) = parse_values("NaN")
    assert value != value


@pytest.mark.parametrize("text", ["1,2", "x5", "1+x5", "up", "0+1x1000000000", "1 2+", "__"])
def test_anything_else_is_an_error_that_names_the_word(text: str) -> None:
    with pytest.raises(ValueError, match='"'):
        parse_values(text)


@given(st.integers(-1000, 1000), st.integers(0, 1000), st.integers(0, 200))
def test_a_growing_series_has_one_value_more_than_its_steps(first: int, growth: int, times: int) -> None:
    values = parse_values(f"{first}+{growth}x{times}")
    assert values == [first + growth * index for index in range(times + 1)]
