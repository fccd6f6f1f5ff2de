"""Head, journal and chunks together: what was committed is there, whatever happens in between."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from sentinel.core.clock import to_ms
from sentinel.core.errors import StoreUnavailable
from sentinel.core.labels import Labels
from sentinel.core.sample import Sample
from sentinel.store import catalogue
from tests.store.house import House
from tests.store.kit import at, counter, gauge, held, look, named

WEEK = 7 * 86_400.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.database.close()


def test_a_week_survives_a_restart(house: House) -> None:
    """Chunks and head answer a 7-day window as one, to the sample."""
    hours = range(24 * 7)
    for hour in hours:
        house.append(look(hour * 3600, counter("domains_total", hour), every=timedelta(hours=1)))
        house.commit(hour * 3600)
        house.tidy(hour * 3600)
    expected = {"domains_total": [(hour * 3600.0, float(hour)) for hour in hours]}
    end = hours[-1] * 3600
    assert held(house.history, named("domains_total"), end, WEEK) == expected
    restored = house.restart(end)
    assert restored.alive_at == at(end)
    assert restored.damages == ()
    assert held(house.history, named("domains_total"), end, WEEK) == expected
    assert held(house.history.reader(), named("domains_total"), end, WEEK) == expected
    assert held(house.head, named("domains_total"), end, None) == {"domains_total": [(end, hours[-1])]}
    assert house.count("chunk") == 7
    assert house.count("journal") <= 2


def test_series_are_listed_by_when_they_had_samples(house: House) -> None:
    """Chunks, head, both and neither: each series counts where it has samples, also after a restart."""
    house.append(look(0, gauge("old", 1), gauge("lasting", 1)))
    house.commit()
    house.append(look(7200, gauge("lasting", 2), gauge("new", 1), whole=False))
    house.commit(7200)
    house.tidy(7200)
    for _ in range(2):
        reader = house.history.reader()
        listed = [
            [str(labels) for labels in reader.series([], to_ms(at(since)), to_ms(at(until)))]
            for since, until in ((0, 7200), (0, 60), (7000, 7200), (7200, 9000), (7201, 9000), (100, 50))
        ]
        everything, early, late = ["lasting", "new", "old"], ["lasting", "old"], ["lasting", "new"]
        assert listed == [everything, early, late, late, [], []]
        assert reader.series(named("old"), 0, to_ms(at(7200))) == [Labels.of(__name__="old")]
        house.restart(7200)


def test_of_too_many_series_only_those_that_matter_are_looked_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much to be kept is looked up anew each time, without what ended before."""
    monkeypatch.setattr(catalogue, "_KEPT", 2)
    monkeypatch.setattr(catalogue, "_SLICE", 1)
    house.append(look(0, *(gauge("a", n, n=str(n)) for n in range(3))))
    house.commit()
    house.append(look(7200, gauge("a", 3, n="3"), whole=False))
    house.commit(7200)
    house.tidy(7200)
    for _ in range(2):
        reader, end = house.history.reader(), np.array([to_ms(at(7200))])
        listed = [
            [labels.get("n") for labels in reader.windows(named("a"), end, over * 1000).labels] for over in (7199, 7201)
        ]
        assert listed == [["3"], ["0", "1", "2", "3"]]
        house.restart(7200)


def test_what_is_in_memory_is_there_once(house: House) -> None:
    """A rule that looks back beyond the head has the labels of the head, not copies of them."""
    house.append(look(0, *(gauge("a", n, n=str(n)) for n in range(3))))
    house.commit()
    house.restart(0)
    past = house.history.reader().windows(named("a"), np.array([to_ms(at(0))]), 10**9)
    now = house.head.windows(named("a"), np.array([to_ms(at(0))]), None)
    assert len(past.labels) == 3
    assert all(one is other for one, other in zip(past.labels, now.labels, strict=True))


def test_chunks_are_written_in_small_steps_and_the_journal_goes_with_the_last(house: House) -> None:
    """No step writes more than one block of 32 series; until the last one the journal holds everything."""
    for second in range(0, 1830, 15):
        house.append(look(second, *(gauge("a", second, n=str(n)) for n in range(100))))
        house.commit(second)
    entries = house.count("journal")
    assert not house.upkeep.step(at(1799))
    chunks = []
    while house.upkeep.step(at(1900)):
        chunks.append(house.count("chunk"))
        if len(chunks) < 5:
            assert house.count("journal") == entries
    assert chunks == [0, 2, 4, 6, 8]
    assert house.count("journal") == 0
    assert not house.upkeep.step(at(1901))


def test_a_crash_between_chunks_and_the_end_of_their_journal_counts_nothing_twice(house: House) -> None:
    """Samples are in both, and answered once."""
    for second in range(0, 1830, 15):
        house.append(look(second, *(gauge("a", second, n=str(n)) for n in range(40))))
        house.commit(second)
    before = held(house.history, named("a"), 1900, 7200)
    house.upkeep.step(at(1900))
    house.upkeep.step(at(1900))
    assert house.count("journal")
    assert house.count("chunk") == 2
    house.restart(1900)
    assert held(house.history, named("a"), 1900, 7200) == before
    assert held(house.history, named("a"), 1900, 3600) == before
    house.tidy(1900)
    house.restart(1900)
    assert held(house.history, named("a"), 1900, 7200) == before


def test_seen_first_ever_means_ever(house: House) -> None:
    """A counter known from before the restart gets no zero, one that is new gets it, also where the head forgot it."""
    house.append(look(0, gauge("up", 1), counter("old", 5), zero=True))
    house.commit()
    house.restart(15)
    house.append(look(15, gauge("up", 1), counter("old", 7), counter("new", 3), zero=True))
    assert held(house.head, named("old"), 60) == {"old": [(0, 5), (15, 7)]}
    assert held(house.head, named("new"), 60) == {"new": [(0, 0), (15, 3)]}
    house.append(look(30, gauge("up", 1), zero=True))
    house.commit()
    house.upkeep.flush()
    day = 86_400
    assert house.head.forget(to_ms(at(day)))
    house.append(look(day, gauge("up", 1), counter("old", 9), counter("newer", 3), zero=True))
    assert held(house.head, named("old"), day) == {"old": [(day, 9)]}
    assert len(held(house.head, named("newer"), day, WEEK)["newer"]) == 2
    assert held(house.history, named("old"), day, WEEK) == {"old": [(0, 5), (15, 7), (30, None), (day, 9)]}


def test_what_vanished_while_the_agent_was_away_is_marked_gone(house: House) -> None:
    """By the first whole look after the restart."""
    house.append(look(0, gauge("a", 1), gauge("b", 1)))
    house.commit()
    house.restart(600)
    house.append(look(600, gauge("a", 2)))
    assert held(house.head, named("b"), 600) == {"b": [(0, 1), (600, None)]}


def test_a_seldom_probe_has_its_newest_value_after_a_restart(house: House) -> None:
    """It counts for two and a half of its intervals, far longer than the head reaches."""
    house.append(look(0, gauge("weekly", 1), every=timedelta(days=7)))
    house.commit()
    house.upkeep.flush()
    house.restart(WEEK)
    assert held(house.head, named("weekly"), WEEK, None) == {"weekly": [(0, 1)]}
    assert held(house.history, named("weekly"), WEEK, None) == {"weekly": [(0, 1)]}


def test_a_damaged_journal_entry_is_set_aside_and_the_rest_goes_on(house: House) -> None:
    """It is reported once, and kept for whoever wants to look into it."""
    for second in (0, 15, 30):
        house.append(look(second, gauge("a", second)))
        house.commit()
    house.spoil("journal", 2)
    restored = house.restart(30)
    assert [str(one) for one in restored.damages] == [
        f"journal 2 cannot be read and was set aside: {restored.damages[0].why}"
    ]
    assert "checksum" in restored.damages[0].why
    assert held(house.head, named("a"), 60) == {"a": [(0, 0), (30, 30)]}
    house.upkeep.flush()
    assert house.count("journal") == 1
    assert house.restart(30).damages == ()
    with house.database.read() as tx:
        assert [one.id for one in tx.samples.damaged()] == [2]


def test_a_damaged_chunk_is_passed_over_reported_and_set_aside(house: House) -> None:
    """A flipped bit costs the samples of one chunk: half an hour of one block of series."""
    for second in range(0, 240 * 15, 15):
        house.append(look(second, *(gauge("ab"[n // 31], second, n=str(n)) for n in range(32))))
        house.commit()
    house.upkeep.flush()
    house.spoil("chunk", 1)
    day = 86_400
    assert house.head.forget(to_ms(at(day)))
    found = held(house.history, named("a"), day, WEEK)
    assert len(found) == 31
    for one in found.values():
        assert one == [(float(second), float(second)) for second in range(1800, 3600, 15)]
    assert [len(one) for one in held(house.history, named("b"), day, WEEK).values()] == [240]
    house.tidy(day)
    with house.database.read() as tx:
        (damage,) = tx.samples.damaged()
    assert damage.table == "chunk"
    assert house.upkeep.damages == [damage]
    house.restart(3600)
    assert {len(one) for one in held(house.history, named("a"), 3600, WEEK).values()} == {120}


def test_retention_deletes_samples_in_small_steps_and_nothing_else(tmp_path: Path) -> None:
    """The audit stays, series without samples go, and the file shrinks."""
    house = House(tmp_path, retention=timedelta(days=1))
    noise = np.random.default_rng(3)
    for second in range(0, 7200, 15):
        house.append(look(second, *(gauge("a", noise.random(), n=str(n)) for n in range(200))))
        if second % 1860 == 0:
            house.commit(second)
            house.tidy(second)
    house.commit(7200)
    with house.database.begin() as tx:
        tx.audit.append(at(0), "silence", "s", {})
    house.upkeep.flush()
    assert held(house.history, named("a", n="7"), 7200, WEEK)
    house.append(look(2 * 86_400, gauge("b", 1), source="other"))
    house.commit()
    path = tmp_path / "sentinel.db"
    house.restart(2 * 86_400)
    before, steps = path.stat().st_size, house.tidy(2 * 86_400)
    assert steps >= 3
    assert house.count("chunk") == 0
    assert held(house.history, named("a"), 2 * 86_400, WEEK) == {}
    assert held(house.history, named("b"), 2 * 86_400, WEEK) == {"b": [(172_800, 1)]}
    assert house.count("audit") == 1
    house.restart(2 * 86_400)
    assert path.stat().st_size < before / 2
    assert house.count("series") == 1
    house.database.close()


def test_a_limit_of_size_deletes_the_oldest_samples_first_and_the_file_shrinks(tmp_path: Path) -> None:
    """In small steps, and never what is younger than an hour, however small the limit."""
    house, noise, minute, end = House(tmp_path), np.random.default_rng(3), timedelta(minutes=1), 8 * 3600
    for second in range(0, end, 60):
        house.append(look(second, *(gauge("a", noise.random(), n=str(n)) for n in range(128)), every=minute))
        if second % 1860 == 0:
            house.commit(second)
            house.tidy(second)
    house.commit(end)
    house.upkeep.flush()
    path, seven, day = tmp_path / "sentinel.db", named("a", n="7"), 86_400

    def limited(most_bytes: int) -> int:
        house.most_bytes = most_bytes
        house.restart(end)
        house.tidy(end)
        house.restart(end)
        (one,) = held(house.history, seven, end, over=day).values()
        return len(one)

    assert limited(0) == 480
    full = path.stat().st_size
    assert 240 <= limited(full * 3 // 4) < 480
    assert full // 3 < path.stat().st_size <= full * 3 // 4
    assert held(house.history, seven, 3600, over=3600) == {'a{n="7"}': []}
    assert 60 <= limited(1) <= 240
    house.database.close()


def test_a_late_sample_finds_its_place_among_those_of_a_chunk(house: House) -> None:
    """The chunk is written anew; until then, and after a restart, the journal alone has it."""
    for second in range(0, 3600, 15):
        house.append(look(second, gauge("a", second), gauge("b", second)))
        house.commit(second)
    house.upkeep.flush()
    expected = sorted([*((float(second), float(second)) for second in range(0, 3600, 15)), (3001.0, -1.0)])
    house.append(look(3600, Sample("a", -1.0, {}, at(3001)), whole=False))
    house.commit(3600)
    chunks = house.count("chunk")
    for change in (
        lambda: None,
        lambda: house.restart(3600),
        house.flush,
        lambda: house.restart(9000),
    ):
        change()
        assert held(house.history, named("a"), 3600, WEEK) == {"a": expected}
        assert len(held(house.history, named("b"), 3600, WEEK)["b"]) == 240
    assert house.count("chunk") == chunks + 1  # its times are no longer those of the other
    assert house.count("journal") == 0


def test_a_step_that_cannot_be_written_is_done_again(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head lets go of nothing before the commit."""
    monkeypatch.setattr("sentinel.store.database._BUSY_SECONDS", 0.05)
    house.restart(0)
    house.append(look(0, gauge("a", 1)))
    house.commit()
    house.upkeep.step(at(3600))
    other = sqlite3.connect(house.database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable):
        house.upkeep.step(at(3600))
    assert house.head.roster.unflushed()
    other.execute("ROLLBACK")
    other.close()
    house.tidy(3600)
    assert house.head.roster.unflushed() == []
    assert house.count("chunk") == 1


def test_other_threads_read_history_while_the_desk_writes_it(house: House) -> None:
    """At any moment a reader finds every sample once."""
    reader, done = house.history.reader(), threading.Event()
    wrong: list[object] = []

    def ask() -> None:
        while not done.is_set():
            answers = held(reader, named("a"), 1e6, 2e6).values()
            wrong.extend(one for one in answers if [t for t, _ in one] != [15.0 * n for n in range(len(one))])

    asking = threading.Thread(target=ask)
    asking.start()
    for second in range(0, 15 * 250, 15):
        house.append(look(second, *(gauge("a", second, n=str(n)) for n in range(3))))
        house.commit()
        house.upkeep.step(at(second))
    done.set()
    asking.join()
    assert wrong == []
    assert house.count("chunk")
