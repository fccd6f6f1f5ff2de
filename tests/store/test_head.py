"""The head: what it takes, what it adds, what it answers."""

from __future__ import annotations

import threading
from datetime import timedelta

import numpy as np
import pytest

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels, Matcher, MatchOp
from sentinel.core.sample import Health, Sample
from sentinel.core.windows import STALE
from sentinel.store.head import Head
from tests.store.kit import at, counter, gauge, held, look, named


def test_a_series_that_a_whole_look_no_longer_shows_gets_a_stale_marker() -> None:
    """A failed look says nothing of what it does not show; a marker is written once."""
    head = Head()
    head.append(look(0, gauge("a", 1), gauge("b", 1)))
    head.append(look(15, gauge("a", 2), whole=False))
    gone = head.append(look(30, gauge("a", 3)))
    head.append(look(45, gauge("a", 4)))
    assert held(head, named("b"), 60) == {"b": [(0, 1), (30, None)]}
    assert held(head, named("a"), 60) == {"a": [(0, 1), (15, 2), (30, 3), (45, 4)]}
    assert {head.labels_of(int(id_)).name for id_ in gone.ids} == {"a", "b"}
    head.append(look(60, gauge("a", 5), gauge("b", 2)))
    assert held(head, named("b"), 60)["b"][-1] == (60, 2)
    assert held(head.reader(), named("b"), 60) == held(head, named("b"), 60)


def test_a_look_of_one_source_says_nothing_of_another() -> None:
    """Each source has its own series, and its own idea of whole."""
    head = Head()
    head.append(look(0, gauge("a", 1, probe="x"), source="x"))
    head.append(look(1, gauge("a", 1, probe="y"), source="y"))
    head.append(look(15, source="x"))
    assert held(head, named("a"), 60) == {'a{probe="x"}': [(0, 1), (15, None)], 'a{probe="y"}': [(1, 1)]}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        pytest.param([], [counter("c", 5)], [(0, 0), (15, 5)], id="was 0 on the look before"),
        pytest.param([], [counter("c", 5, created=-10)], [(15, 5)], id="existed, unseen, before that look"),
        pytest.param([], [counter("c", 5, created=10)], [(0, 0), (15, 5)], id="was created after that look"),
        pytest.param([], [gauge("c", 5)], [(15, 5)], id="a gauge is never assumed"),
        pytest.param([counter("c", 5)], [counter("c", 6)], [(0, 5), (15, 6)], id="not on the source's first look ever"),
    ],
)
def test_a_counter_seen_first_on_a_later_look_was_zero_before(
    first: list[Sample], second: list[Sample], expected: list[tuple[float, float]]
) -> None:
    """The first burst of failures counts; what a restart of ours first sees does not."""
    second = [
        Sample(one.name, one.value, one.labels, None, one.counter, one.created and to_ms(at(one.created)) / 1000)
        for one in second
    ]
    head = Head()
    head.append(look(0, gauge("up", 1), *first, zero=True))
    head.append(look(15, gauge("up", 1), *second, zero=True))
    assert held(head, named("c"), 60) == {"c": expected}


def test_no_zero_where_the_source_does_not_count_from_zero_or_failed() -> None:
    """Pushed counters, and those of a look that did not show all."""
    head = Head()
    head.append(look(0, zero=False))
    head.append(look(15, counter("a", 5), zero=False))
    head.append(look(30, counter("a", 5), counter("b", 5), whole=False, zero=True))
    assert held(head, named("a"), 60) == {"a": [(15, 5), (30, 5)]}
    assert held(head, named("b"), 60) == {"b": [(30, 5)]}


def test_a_counter_that_comes_back_is_not_seen_for_the_first_time() -> None:
    """Its old value says where it stood."""
    head = Head()
    head.append(look(0, counter("c", 5), zero=True))
    head.append(look(15, zero=True))
    head.append(look(30, counter("c", 9), zero=True))
    assert held(head, named("c"), 60) == {"c": [(0, 5), (15, None), (30, 9)]}


def test_what_cannot_be_taken_is_counted_by_reason() -> None:
    """Future, too old, twice, out of order; a late sample within reason finds its place."""
    head = Head()
    head.append(look(0, gauge("a", 1)))
    head.append(look(30, gauge("a", 3)))
    late = head.append(look(45, Sample("a", 2.0, {}, at(15)), Sample("b", 1.0, {}, at(300)), gauge("a", 9)))
    assert late.refused == {"future": 1, "duplicate": 1}
    again = head.append(look(50, Sample("a", 2.5, {}, at(15)), Sample("c", 1.0, {}, at(-3700))))
    assert again.refused == {"duplicate": 1, "too old": 1}
    assert head.append(look(60, Sample("a", 1.5, {}, at(-571)))).refused == {"out of order": 1}
    assert head.append(look(61, Sample("a", 0.5, {}, at(-560)))).refused == {}
    assert held(head, named("a"), 60)["a"][:4] == [(-560, 0.5), (0, 1), (15, 2), (30, 3)]
    assert head.refused["shop", "duplicate"] == 2


def test_the_newest_series_over_a_sources_limit_are_refused() -> None:
    """Those it had go on, and another source is not concerned."""
    head = Head(series_limit=3)
    head.append(look(0, gauge("a", 1), gauge("b", 1)))
    over = head.append(look(15, gauge("n1", 1), gauge("a", 2), gauge("n2", 1), gauge("b", 2)))
    assert over.refused == {"too many series": 1}
    assert len(over.new) == 1
    assert head.append(look(30, gauge("n1", 1), gauge("a", 2), gauge("n2", 1), gauge("b", 2))).refused
    assert not head.append(look(30, *(gauge(f"x{n}", 1) for n in range(3)), source="other")).refused
    assert head.append(look(45, *(gauge(f"y{n}", 1) for n in range(3)))).refused == {}


def test_a_series_with_too_many_labels_is_refused_whatever_comes_with_it() -> None:
    """A text that got into a label fills no memory; it is counted at each look, and what is beside it goes on."""
    head = Head()
    many = {f"label_{n}": "x" for n in range(64)}
    for second in (0, 15, 30):
        long = Sample("a", second, {"error": "x" * 9_000})
        others = (gauge("c", second),) if second == 30 else ()
        appended = head.append(look(second, gauge("a", second), long, *others, gauge("b", second, **many)))
        assert appended.refused == {"too many labels": 2}
    assert head.refused == {("shop", "too many labels"): 6}
    assert held(head, named("a"), 60) == {"a": [(0, 0), (15, 15), (30, 30)]}
    assert held(head, named("b"), 60) == {}
    assert held(head, named("c"), 60) == {"c": [(30, 30)]}


def test_series_that_come_go_and_change_places_keep_their_samples() -> None:
    """Positions are only a short cut."""
    head = Head()
    for second, names in enumerate(["abcd", "abcd", "bcd", "xbcd", "dcbx", "abcdx", "", "a", "aa"]):
        head.append(look(second, *(gauge(name, second) for name in names)))
    assert held(head, named("a"), 60) == {"a": [(0, 0), (1, 1), (2, None), (5, 5), (6, None), (7, 7), (8, 8)]}
    assert held(head, named("x"), 60) == {"x": [(3, 3), (4, 4), (5, 5), (6, None)]}


def test_the_list_of_labels_is_the_same_object_until_another_series_matches() -> None:
    """The evaluator's caches go by it."""
    head = Head()
    head.append(look(0, gauge("a", 1, x="1"), gauge("b", 1)))
    ends = np.array([to_ms(at(60))])
    first = head.windows(named("a"), ends, None).labels
    head.append(look(15, gauge("a", 1, x="1"), gauge("b", 1), gauge("c", 1)))
    assert head.windows(named("a"), ends, 60_000).labels is first
    head.append(look(30, gauge("a", 1, x="1"), gauge("a", 1, x="2")))
    second = head.windows(named("a"), ends, None).labels
    assert list(second) == [Labels.of(__name__="a", x="1"), Labels.of(__name__="a", x="2")]
    assert len(first) == 1
    head.roster.remove(np.array([head.roster.slot_of(Labels.of(__name__="b"))]))
    assert head.windows(named("a"), ends, None).labels is second


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        (MatchOp.EQUAL, "1", {"1"}),
        (MatchOp.EQUAL, "", {""}),
        (MatchOp.NOT_EQUAL, "1", {"2", ""}),
        (MatchOp.NOT_EQUAL, "", {"1", "2"}),
        (MatchOp.REGEX, "[12]", {"1", "2"}),
        (MatchOp.NOT_REGEX, "2|", {"1"}),
    ],
)
def test_matchers_see_a_missing_label_as_an_empty_one(op: MatchOp, value: str, expected: set[str]) -> None:
    """And a series that comes later is matched likewise."""
    matchers = [*named("a"), Matcher("x", op, value)]
    head = Head()
    head.append(look(0, gauge("a", 1)))
    before = head.series(matchers)[1]
    head.append(look(15, gauge("a", 1), gauge("a", 1, x="1"), gauge("a", 1, x="2")))
    assert {labels.get("x") for labels in head.series(matchers)[1]} == expected
    assert {labels.get("x") for labels in before} <= {""}


def test_windows_are_open_on_the_left_and_an_instant_has_its_newest_sample() -> None:
    """A newest value counts for five minutes or two and a half intervals, whichever is longer."""
    head = Head()
    for second in (0, 15, 30):
        head.append(look(second, gauge("a", second)))
    head.append(look(0, gauge("h", 1), source="hourly", every=timedelta(hours=1)))
    assert held(head, named("a"), 30, over=30) == {"a": [(15, 15), (30, 30)]}
    assert held(head, named("a"), 29, over=None) == {"a": [(15, 15)]}
    assert held(head, named("a"), 329, over=None) == {"a": [(30, 30)]}
    assert held(head, named("a"), 330, over=None) == {"a": []}
    assert held(head, named("h"), 8999, over=None) == {"h": [(0, 1)]}
    assert held(head, named("h"), 9000, over=None) == {"h": []}


def test_many_window_ends_are_answered_as_one_by_one() -> None:
    """A range query is many instants."""
    head = Head()
    for second in range(0, 600, 15):
        head.append(look(second, gauge("a", second), *([gauge("b", second)] if second % 60 else [])))
    ends = np.array([to_ms(at(second)) for second in range(0, 900, 7)])
    for over in (None, 100_000):
        for name in ("a", "b"):
            many = head.windows(named(name), ends, over)
            assert many.hi.shape == (1, len(ends))
            for step, end in enumerate(ends):
                one = head.windows(named(name), np.array([end]), over)
                assert many.v[many.lo[0, step] : many.hi[0, step]].tobytes() == (
                    one.v[one.lo[0, 0] : one.hi[0, 0]].tobytes()
                )


def test_health_is_what_the_probe_says() -> None:
    """Failing, late, blind; what says how the probe is can be judged while it fails."""

    def health(name: str, second: float) -> Health:
        return head.health(head.series(named(name))[0], to_ms(at(second)))

    head = Head()
    ok, bad = gauge("probe_success", 1, probe="shop"), gauge("probe_success", 0, probe="shop")
    head.append(look(0, gauge("a", 1, probe="shop"), gauge("j", 1, job="shop"), gauge("p", 1, job="pushed"), ok))
    assert {health(name, 0) for name in "ajp"} == {Health.WELL}
    head.append(look(15, bad, whole=False))
    assert health("a", 15) is Health.FAILING
    assert health("j", 15) is Health.FAILING
    assert health("p", 15) is Health.WELL
    assert health("probe_success", 15) is Health.WELL
    assert health("a", 14) is Health.WELL
    assert health("a", 15 + 37.5) is Health.FAILING
    assert health("a", 15 + 38) is Health.LATE
    assert health("probe_success", 15 + 38) is Health.LATE
    assert health("nothing", 15) is Health.WELL
    head.blind = True
    assert health("a", 15) is Health.BLIND


def test_what_waits_for_the_journal_can_be_put_back() -> None:
    """A commit that fails loses nothing, and keeps the order."""
    head = Head()
    head.append(look(0, gauge("a", 1)))
    rows = head.take_waiting()
    assert not head.take_waiting()
    head.append(look(15, gauge("a", 2)))
    head.put_back(rows)
    again = head.take_waiting()
    assert again.v.tolist() == [1, 2]
    assert [one.labels.name for one in again.series] == ["a"]
    assert [one.whole for one in again.looks] == [True, True]


def test_a_stale_marker_that_was_brought_keeps_its_bits() -> None:
    """Through Python's floats and back."""
    head = Head()
    head.append(look(0, gauge("a", STALE), gauge("b", float("nan"))))
    assert held(head, named("a"), 0) == {"a": [(0, None)]}
    assert held(head, named("b"), 0)["b"][0][1] is not None


def test_dead_series_are_forgotten_and_their_places_used_again() -> None:
    """Ten thousand series that come and go leave the head as small as it was."""
    head = Head(span=timedelta(minutes=1), durable=False)
    for round_ in range(100):
        head.append(look(400 * round_, *(gauge("a", 1, n=f"{round_}-{n}") for n in range(100))))
        head.forget(to_ms(at(400 * round_)))
    assert len(head) <= 200
    assert len(head.roster.slots.id) <= 512
    assert len(head.roster.arena.ts) < 20_000


def test_readers_may_ask_while_the_desk_appends() -> None:
    """Each answer is a copy of one moment: its values rise as they were appended."""
    head = Head(span=timedelta(minutes=10))
    reader, done, answers = head.reader(), threading.Event(), 0
    wrong: list[object] = []

    def ask() -> None:
        nonlocal answers
        while not done.is_set():
            for samples in held(reader, named("a"), 1e6, over=2e6).values():
                answers += 1
                if [t for t, _ in samples] != [value for _, value in samples]:
                    wrong.append(samples)

    asking = threading.Thread(target=ask)
    asking.start()
    for second in range(600):
        head.append(
            look(second, *(gauge("a", second, n=str(n)) for n in range(1 + second // 100)), every=timedelta(seconds=1))
        )
    done.set()
    asking.join()
    assert wrong == []
    assert answers
