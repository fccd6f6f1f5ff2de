"""Conditions as people type them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.operator import conditions_of, parse_match, write_match

KEYS = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
MATCHES = st.dictionaries(KEYS, st.one_of(VALUES, st.lists(VALUES, min_size=2, max_size=3).map(tuple)), max_size=4)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        pytest.param("severity=critical", {"severity": "critical"}, id="one value"),
        pytest.param("rule=queue-*", {"rule": "queue-*"}, id="a pattern"),
        pytest.param("severity=warning+", {"severity": "warning+"}, id="and above"),
        pytest.param("owner!=data", {"owner": "!data"}, id="not"),
        pytest.param("host=a,b", {"host": ("a", "b")}, id="either"),
        pytest.param(" host = a ", {"host": "a"}, id="blanks"),
        pytest.param('path="a,b"', {"path": "a,b"}, id="a comma in quotes"),
        pytest.param("env=", {"env": ""}, id="a label that is missing"),
        pytest.param("env!=", {"env": "!"}, id="a label that is there"),
    ],
)
def test_a_condition_means_what_a_route_s_match_means(typed: str, meant: dict[str, str | tuple[str, ...]]) -> None:
    """The same words, typed in one go."""
    assert parse_match([typed]) == meant


def test_the_same_key_twice_is_either_value() -> None:
    """As a list is."""
    assert parse_match(["host=a", "rule=x", "host=b,c"]) == {"host": ("a", "b", "c"), "rule": "x"}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        pytest.param(["queue"], '"queue" is no condition; write rule=queue-* or owner!=data', id="no sign"),
        pytest.param(["a b=c"], "is no condition", id="no label"),
        pytest.param(["owner!=a,b"], "owner!= takes one value, once", id="neither of two"),
        pytest.param(["owner!=a", "owner!=b"], "owner!= takes one value, once", id="not twice"),
    ],
)
def test_what_cannot_be_meant_is_said(typed: list[str], says: str) -> None:
    """With how it is written."""
    with pytest.raises(ValueError, match=r"condition|once") as raised:
        parse_match(typed)
    assert says in str(raised.value)


@given(MATCHES)
def test_what_is_written_is_read_again(match: dict[str, str | tuple[str, ...]]) -> None:
    """Whatever the values are."""
    assert parse_match(conditions_of(match)) == match
    assert all(condition in write_match(match) for condition in conditions_of(match))
