"""Whatever happens in whatever order, the store answers like a plain list."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.sample import Batch, Sample
from tests.dice import rolls
from tests.store.house import House
from tests.store.kit import EVERY, at, gauge, held, look, named

Samples = dict[int, dict[float, float | None]]


class Twin:
    """The store, and beside it plain dictionaries of what it must answer."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder, span=timedelta(minutes=5))
        self.now = 0.0
        self.vague = -1.0  # what is older may have been deleted, chunk by chunk
        self.committed: Samples = {}
        self.waiting: Samples = {}

    def all(self) -> Samples:
        return {n: self.committed.get(n, {}) | self.waiting.get(n, {}) for n in {*self.committed, *self.waiting}}

    def live(self) -> set[int]:
        """Return the series that need a marker when they vanish: of one that is forgotten nothing counts any more."""
        known = self.house.head.roster.slot_of
        return {
            n
            for n, samples in self.all().items()
            if samples[max(samples)] is not None and known(Labels.of(__name__="a", n=str(n))) is not None
        }

    def look(self, which: set[int], whole: bool) -> None:
        gone = self.live() - which if whole else set()
        samples = (gauge("a", self.now, n=str(n)) for n in sorted(which))
        self.house.append(look(self.now, *samples, whole=whole))
        for n in which | gone:
            self.waiting.setdefault(n, {})[self.now] = self.now if n in which else None

    def many(self, which: set[int], times: int) -> None:
        for _ in range(times):
            self.look(which, True)
            self.now += 15

    def late(self, n: int, seconds: int) -> None:
        then = self.now - seconds
        batch = Batch("shop", (Sample("a", -1.0, {"n": str(n)}, at(then)),), at(self.now), EVERY, whole=False)
        if not self.house.head.append(batch).refused:
            self.waiting.setdefault(n, {})[then] = -1.0

    def commit(self) -> None:
        self.house.commit(self.now)
        for n, samples in self.waiting.items():
            self.committed.setdefault(n, {}).update(samples)
        self.waiting = {}

    def step(self) -> None:
        self.house.upkeep.step(at(self.now))

    def flush(self) -> None:
        self.commit()
        self.house.upkeep.flush()

    def restart(self) -> None:
        self.house.restart(self.now)
        self.waiting = {}

    def forget(self) -> None:
        self.house.head.forget(to_ms(at(self.now)))

    def limit(self) -> None:
        self.flush()
        for self.house.most_bytes in (1, 0):
            self.restart()
            self.house.tidy(self.now)
        self.vague = self.now - 3600

    def away(self, seconds: int) -> None:
        self.now += seconds

    def check(self, over: float) -> None:
        found = dict(held(self.house.history, named("a"), self.now, over))
        for n, samples in self.all().items():
            expected = [one for one in sorted(samples.items()) if one[0] > self.now - over]
            answer = found.pop(f'a{{n="{n}"}}', [])
            assert [one for one in answer if one[0] > self.vague] == [one for one in expected if one[0] > self.vague]
            assert set(answer) <= set(expected)
        assert not any(found.values())


some = st.sets(st.integers(0, 4))
moves = st.lists(
    st.one_of(
        st.tuples(st.just("look"), some, st.booleans()),
        st.tuples(st.just("many"), some, st.integers(1, 150)),
        st.tuples(st.just("late"), st.integers(0, 4), st.integers(1, 900)),
        st.tuples(st.just("away"), st.integers(1, 20_000)),
        st.sampled_from([("commit",), ("step",), ("flush",), ("restart",), ("forget",), ("limit",)]),
    ),
    max_size=25,
)


@rolls(30)
@given(moves=moves)
def test_any_interleaving_answers_like_a_plain_list(
    moves: list[tuple[str, ...]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Looks, late samples, commits, chunks, restarts, forgetting, absence, a limit: what was committed is there."""
    twin = Twin(tmp_path_factory.mktemp("twin"))
    for name, *arguments in moves:
        twin.now += 15
        getattr(twin, name)(*arguments)
        twin.check(over=10**6)
        twin.check(over=120)
    twin.house.database.close()
