"""Exchange: every bit of a history that means something comes back, in each format that can say it."""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.labels import Labels
from sentinel.core.windows import STALE
from sentinel.store.database import Database
from sentinel.store.export import stretches
from sentinel.store.head import Head
from sentinel.store.history import History
from sentinel.store.incoming import Layout, layout_of
from sentinel.store.incoming import stretches as read
from sentinel.store.jsonlines import read_line, write_line
from sentinel.store.offline import opened
from sentinel.store.openmetrics import read_lines, write_lines
from sentinel.store.past import insert
from sentinel.store.restore import look_into, restore
from sentinel.store.stretch import Stretch
from sentinel.store.upkeep import Upkeep
from tests.dice import rolls
from tests.store.kit import START, START_MS, at, gauge, look

UP = Labels.of(__name__="up", job="shop")
EVER = timedelta(days=35)
NAMES = st.sampled_from(["up", "http.requests", "löschen", "a:b", "x_total"])
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
LABELS = st.builds(
    lambda name, rest: Labels.of(rest, __name__=name),
    NAMES,
    st.dictionaries(st.sampled_from(["job", "le", "Ünicode", "a.b"]), TEXTS, max_size=3),
)
VALUES = st.one_of(st.floats(), st.just(STALE), st.integers(-(2**60), 2**60).map(float))


def stretch(labels: Labels, *points: tuple[int, float], source: str = "shop", interval_ms: int = 15_000) -> Stretch:
    """Return a stretch; times are seconds after the beginning."""
    ts = np.array([START_MS + seconds * 1000 for seconds, _ in points], np.int64)
    return Stretch(labels, ts, np.array([value for _, value in points], np.float64), source, interval_ms)


def meaning(value: float) -> object:
    """Return what tells values apart: bits, but that a NaN is a NaN unless it is the stale marker."""
    bits = struct.pack("<d", value)
    return "NaN" if math.isnan(value) and bits != struct.pack("<d", STALE) else bits


def said(found: Sequence[Stretch]) -> dict[Labels, list[tuple[int, object]]]:
    """Return what stretches say, however they are cut."""
    told: dict[Labels, list[tuple[int, object]]] = {}
    for one in found:
        told.setdefault(one.labels, []).extend(
            (ts, meaning(value)) for ts, value in zip(one.ts.tolist(), one.v.tolist(), strict=True)
        )
    return told


@given(LABELS, st.lists(VALUES, min_size=1, max_size=20))
@rolls(40)
def test_a_line_of_json_holds_every_bit(labels: Labels, values: list[float]) -> None:
    """Whatever the values are, whatever the labels."""
    written = stretch(labels, *enumerate(values))
    line = write_line(written)
    assert "\n" not in line
    assert layout_of(line) is Layout.JSONL
    again = read_line(line.encode())
    assert said([again]) == said([written])
    assert (again.source, again.interval_ms) == ("shop", 15_000)


@given(LABELS, st.lists(VALUES, min_size=1, max_size=20))
@rolls(40)
def test_lines_of_openmetrics_hold_all_but_the_ends(labels: Labels, values: list[float]) -> None:
    """A stale marker has no word there."""
    written = stretch(labels, *enumerate(values))
    lines = list(write_lines(written))
    points = [(found, ts, meaning(value)) for found, ts, value in read_lines(lines, 1000)]
    expected = [(labels, ts, value) for ts, value in said([written])[labels] if value != meaning(STALE)]
    assert points == expected


@pytest.mark.parametrize(
    ("line", "labels", "value"),
    [
        ('{__name__="up", job="a \\"b\\" \\\\ \\u00e9\\x41"} 1e+06 5', 'up{job="a \\"b\\" \\\\ éA"}', 1e6),
        ("up -Inf 5", "up", -math.inf),
        ('up{job="a}b,c"} +Inf 5', 'up{job="a}b,c"}', math.inf),
        ('up{job="shop",} 3 5 # {trace="x"} 1 2', 'up{job="shop"}', 3.0),
        ('{"up", job="shop"} 3 5', 'up{job="shop"}', 3.0),
        ('up{job=""} 3 5', "up", 3.0),
    ],
)
def test_lines_as_others_write_them(line: str, labels: str, value: float) -> None:
    """Quoted as Go quotes, with exemplars, with commas at the end."""
    [(found, ts, read_value)] = read_lines(["# TYPE up gauge", "", line, "# EOF"], 1)
    assert (str(found), ts, read_value) == (labels, 5, value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("up 1", "line 1: expected a value and a time behind the series: up 1"),
        ("up one 5", "line 1: expected a number as value, and one as time: up one 5"),
        ("up 1 1e300", "expected a time that can be"),
        ('up{job="a" 1 5', "expected labels such as"),
        ("{} 1 5", "expected the name of a metric"),
        ('{"metric":{"job":"x"},"values":[1],"timestamps":[1]}', "line 1: expected the name of the metric"),
        ('{"metric":{"__name__":"x"},"values":[1],"timestamps":[1,2]}', "line 1: 1 values have 2 timestamps"),
        ('{"metric":{"__name__":"x"},"values":["1"],"timestamps":[1]}', 'numbers, null, "NaN"'),
        ('{"metric":{"__name__":"x"},"values":[1],"timestamps":[1e9]}', "list of Unix milliseconds"),
        ('{"metric":{"__name__":"x"},"values":[1],"timestamps":[99999999999999999999]}', "out of reach"),
        ('{"metric":{"__name__":"x"},"values":[1],"timestamps":[1],"interval_ms":"15s"}', "milliseconds as"),
        ('{"metric":{"__name__":"x"}', "line 1: expected a JSON object ("),
    ],
)
def test_what_cannot_be_read_is_said(text: str, says: str) -> None:
    """With its line, and what was expected there."""
    with pytest.raises(ValueError, match=re.escape(says)):
        list(read(iter([text])))


def stocked(url: str) -> list[Stretch]:
    """Fill a database as an agent does, half of it in chunks and half in the journal; return its export."""
    database = Database.open(url)
    head = restore(database, START).head
    history = History(database, head)
    for number in range(300):
        shown = [gauge("up", float(number % 7), job="shop"), gauge("up", 1.5, job="shop", zone="b")]
        if number % 50:
            shown.append(gauge("queue.depth", math.nan if number % 3 else math.inf, job="shop"))
        head.append(look(number * 15, *shown))
        if number in (100, 150, 299):
            with database.begin() as tx:
                tx.samples.journal(head.take_waiting())
            if number == 150:
                Upkeep(database, history, EVER).flush()
    found = list(stretches(database, history, [()], 0, START_MS + 10**7))
    database.close()
    return found


def exported(url: str) -> list[Stretch]:
    """Return all that a database holds, read as beside an agent."""
    database = Database.open(url, read_only=True)
    try:
        history = History(database, look_into(database, at(5000)).head)
        return list(stretches(database, history, [()], 0, START_MS + 10**8))
    finally:
        database.close()


def test_a_history_that_is_carried_over_is_the_same(url: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Samples, stale markers, infinities, sources and intervals; and carried over once more it changes nothing."""
    before = stocked(url)
    assert any(value == meaning(STALE) for points in said(before).values() for _, value in points)
    lines = [write_line(one) for one in before]
    other = f"sqlite:///{tmp_path_factory.mktemp('other') / 'sentinel.db'}"
    for again in (False, True):
        with opened(other, at(5000), EVER) as take:
            counts = sum((take(some) for some in read(iter(lines))), start=take([]))
        total = sum(len(one.ts) for one in before)
        assert counts == ({"duplicate": total} if again else {"taken": total})
        found = exported(other)
        assert said(found) == said(before)
        assert {(one.source, one.interval_ms) for one in found} == {("shop", 15_000)}


def test_what_is_there_counts_and_gaps_are_filled(url: str) -> None:
    """Wherever the new samples fall: before, between, after."""
    even = stretch(UP, *((seconds, 1.0) for seconds in range(0, 3000, 2)))
    every = stretch(UP, *((seconds, 2.0) for seconds in range(-600, 3600)))
    with opened(url, at(5000), EVER) as take:
        assert take([even]) == {"taken": 1500}
        assert take([every]) == {"taken": 2700, "duplicate": 1500}
    [(_, points)] = said(exported(url)).items()
    expected = [1.0 if 0 <= s < 3000 and s % 2 == 0 else 2.0 for s in range(-600, 3600)]
    assert points == [(START_MS + s * 1000, meaning(v)) for s, v in zip(range(-600, 3600), expected, strict=True)]


def test_what_is_too_old_or_to_come_is_counted_and_not_taken(url: str) -> None:
    """The retention is kept, and nobody's clock runs ahead."""
    long_ago, ahead = -40 * 86_400, 5000 + 3600
    with opened(url, at(5000), EVER) as take:
        assert take([stretch(UP, (long_ago, 1), (0, 1), (ahead, 1))]) == {"too old": 1, "taken": 1, "too new": 1}


def test_beside_a_running_agent_only_what_its_head_does_not_hold_is_taken(database: Database) -> None:
    """And the head, the disk and a later restart agree."""
    head = restore(database, at(0)).head
    history = History(database, head)
    head.append(look(0, gauge("up", 5.0, job="shop")))
    past = stretch(UP, *((seconds, 1.0) for seconds in range(-9000, 60, 60)))
    with database.begin() as tx:
        counts = insert(tx.samples, head, [past], START_MS - 10**8, head.since_ms)
        tx.samples.journal(head.take_waiting())
    assert counts == {"taken": 91, "too new": 60}
    expected = [meaning(1.0)] * 91 + [meaning(5.0)]

    def told(history: History) -> list[object]:
        [points] = said(list(stretches(database, history, [()], 0, START_MS + 1000))).values()
        return [value for _, value in points]

    assert told(history) == expected
    assert told(History(database, restore(database, at(1)).head)) == expected
    head.append(look(15, gauge("up", 6.0, job="shop")))
    assert head.refused == {}


def test_a_new_series_of_the_past_is_known_to_whoever_asks(database: Database) -> None:
    """Also to a reader that has looked before, and a probe that shows it later goes on with it."""
    head: Head = restore(database, at(0)).head
    history = History(database, head)
    head.append(look(0, gauge("other", 1.0)))
    assert [str(one.labels) for one in stretches(database, history, [()], 0, START_MS)] == ["other"]
    with database.begin() as tx:
        tx.samples.journal(head.take_waiting())
        assert insert(tx.samples, head, [stretch(UP, (-7200, 1.0))], 0, head.since_ms) == {"taken": 1}
    head.append(look(15, gauge("up", 2.0, job="shop")))
    with database.begin() as tx:
        tx.samples.journal(head.take_waiting())
    found = said(list(stretches(database, history, [()], 0, START_MS + 10**5)))
    assert [value for _, value in found[UP]] == [meaning(1.0), meaning(2.0)]
    assert [one.id for one in head.roster.series_after(0)] == [1, 2]
