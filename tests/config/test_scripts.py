"""Scripts of looks and calls, as a test writes them."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.config.scripts import Calls, parse_calls, parse_looks
from sentinel.core.heartbeat import PingKind
from tests.dice import rolls

OK, MINUTE = PingKind.SUCCESS, timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        ("up", ["up"]),
        ("up x3 down", ["up", "up", "up", "connect"]),
        ("up timeout x2 missed", ["up", "timeout", "timeout", "missed"]),
    ],
)
def test_looks(text: str, looks: list[str]) -> None:
    """A word is one look, and what stands behind it says how many there are in all."""
    assert parse_looks(text) == tuple(looks)


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        ("ok", [Calls(OK)]),
        ("ok every 10m, then nothing", [Calls(OK, every=10 * MINUTE), Calls(None)]),
        ("fail 3 times every 1m, ok on time", [
            Calls(PingKind.FAIL, every=MINUTE, times=3), Calls(OK, on_time=True)]),
        ("exit 3 for 5m, then exit 0", [Calls(PingKind.FAIL, 3, lasts=5 * MINUTE), Calls(OK, 0)]),
        ("ok taking 5m every 10m", [Calls(OK, every=10 * MINUTE, taking=5 * MINUTE)]),
        ('ok with {"a": [1, "x, then y"]} every 1m , then nothing for 1m', [
            Calls(OK, every=MINUTE, body='{"a": [1, "x, then y"]}'), Calls(None, lasts=MINUTE)]),
    ],
)  # fmt: skip
def test_calls(text: str, calls: list[Calls]) -> None:
    """Parts of a script, in order."""
    assert parse_calls(text) == tuple(calls)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("okay", 'did you mean "ok"'),
        ("ok evry 10m", 'did you mean "every"'),
        ("ok every", "a duration behind every is missing"),
        ("ok every 10", "has no unit"),
        ("ok, then", "is missing at the end"),
        ("ok 3 times", "how far apart"),
        ("ok every 1m every 2m", "said twice"),
        ("ok every 1m on time", "keep one"),
        ("ok every 1m for 5m 3 times", "keep one"),
        ("nothing every 5m", "takes a length only"),
        ("exit 300", "from 0 to 255"),
        ("ok with items", "does not begin with JSON"),
        ("ok on Monday", "write on time"),
        ("ok every 0s", "longer than nothing"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    """Each mistake is named."""
    with pytest.raises(ValueError, match=says):
        parse_calls(text)


@pytest.mark.parametrize("text", ["", "upp", "x3", "up x0", "up x99999999 up x99999999"])
def test_what_is_no_look(text: str) -> None:
    """A word that is none, a number that repeats nothing, and more than anybody needs."""
    with pytest.raises(ValueError, match=r"\S"):
        parse_looks(text)


_WORDS = ["ok", "fail", "start", "exit", "nothing", "every", "for", "taking", "on", "time", "times", "with", "then"]
_WORDS += [",", "10m", "3", "{}", "x3", "up", "1"]


@rolls(40)
@given(st.lists(st.sampled_from(_WORDS), max_size=8).map(" ".join))
def test_any_words_are_read_or_refused(text: str) -> None:
    """Nothing but a ValueError comes of nonsense."""
    for read in (parse_calls, parse_looks):
        with contextlib.suppress(ValueError):
            assert read(text)
