"""The store dies at every statement that it sends; reopened, it has every sample that was acknowledged, once.

Each sixteenth statement in every run of the tests, all of them with `-m 'chaos or not chaos'`.
"""

from __future__ import annotations

import functools
import gc
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.core.sample import Sample
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep
from tests.agent.dying import Reaper, let_die
from tests.store.kit import at, gauge, held, look, named

SHARDS = 16
#: What was before the story begins, when it ends, and how long samples are kept.
BEFORE, END, KEPT = 3 * 3600, 3 * 3600 + 2400, 2 * 3600

#: Nothing is proved by waiting for a disk: what is written is the same in memory.
QUICK = Path("/dev/shm")


@dataclass
class Store:
    """The store at work, and beside it what it acknowledged."""

    folder: Path
    acknowledged: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def open(self, seconds: float) -> None:
        """Begin, or begin anew after a death."""
        self.database = Database.open(f"sqlite:///{self.folder}/sentinel.db")
        self.head = restore(self.database, at(seconds)).head
        self.history = History(self.database, self.head)
        self.upkeep = Upkeep(self.database, self.history, timedelta(seconds=KEPT), most_bytes=1)

    def look(self, second: int, *late: int) -> None:
        """Take in what 34 series show, and perhaps samples of before; hear that it is on disk."""
        self.head.append(look(second, *(gauge("a", second, n=str(n)) for n in range(34)), every=timedelta(minutes=5)))
        for then in late:
            self.head.append(look(second, Sample("a", -1.0, {"n": "1"}, at(then)), whole=False))
        with self.database.begin() as tx:
            tx.samples.journal(self.head.take_waiting())
            tx.samples.alive(at(second))
        self.acknowledged[second] = [(second, second), *((then, -1.0) for then in late)]

    def tidy(self, second: int) -> None:
        """Do all the housekeeping that there is."""
        while self.upkeep.step(at(second)):
            pass

    def check(self, second: int) -> None:
        """Look whether the last hour, which no limit touches, is whole; nothing is there twice."""
        found = held(self.history, named("a"), second, over=10**6)
        samples = sorted(one for each in self.acknowledged.values() for one in each)
        for n in range(34) if samples else ():
            times = [one for one in found[f'a{{n="{n}"}}'] if one[0] > second - 3600]
            want = [one for one in samples if one[0] > second - 3600 and (one[1] >= 0 or n == 1)]
            # A look that died while it was committed may be there; nobody was told that it is.
            assert [one for one in times if one in want or one[0] in self.acknowledged] == want
            assert len({t for t, _ in times}) == len(times) <= len(want) + 2


def steps(store: Store) -> Iterator[tuple[int, Callable[[], object]]]:
    """Yield everything that happens, with the second at which it does."""
    for second in range(BEFORE, END, 300):
        late = (second - 100,) if second == BEFORE + 900 else ()
        yield second, lambda second=second, late=late: store.look(second, *late)  # type: ignore[misc]
        yield second, lambda second=second: store.tidy(second)  # type: ignore[misc]


def run(before: Store, folder: Path, reaper: Reaper, die_at: int | None) -> int:
    """Let the store work, dying once at a statement; return how many statements it took."""
    shutil.copytree(before.folder, folder)
    store = Store(folder, dict(before.acknowledged))
    reaper.arm(die_at)
    begin: Callable[[], object] = functools.partial(store.open, BEFORE)
    for second, step in ((BEFORE, begin), *steps(store)):
        if not _survives(step, reaper):
            reaper.arm(None)
            if hasattr(store, "database"):
                store.database.close()
            gc.collect()  # a start that died halfway holds its database, as a dead process would not
            store.open(second)
            store.check(second)
            if step is not begin:
                step()
    count = reaper.count
    store.check(second)
    store.database.close()
    store.open(second)
    store.check(second)
    store.database.close()
    return count


def _survives(step: Callable[[], object], reaper: Reaper) -> bool:
    try:
        step()
    except BaseException:  # libraries wrap what they meet while they clean up; dead is dead
        if not reaper.dead:
            raise
        return False
    return True


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Return what is on disk when the story begins: three hours in chunks and journal, of which one is to go."""
    store = Store(tmp_path_factory.mktemp("before"))
    store.open(0)
    for second in range(0, BEFORE, 300):
        store.look(second)
        if second == BEFORE - 3600:
            store.upkeep.flush()
    store.database.close()
    return store


@pytest.mark.parametrize("shard", [pytest.param(at_, marks=pytest.mark.chaos if at_ else ()) for at_ in range(SHARDS)])
def test_dying_at_any_statement_loses_nothing(
    shard: int, before: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Journal, chunks, their end, late samples written anew, retention by time and by size, a start."""
    reaper = let_die(monkeypatch)
    with tempfile.TemporaryDirectory(dir=QUICK if QUICK.is_dir() else tmp_path) as folder:
        statements = run(before, Path(folder) / "whole", reaper, None)
        assert statements > 100
        for die_at in range(1 + shard, statements + 1, SHARDS):
            run(before, Path(folder) / str(die_at), reaper, die_at)
            shutil.rmtree(Path(folder) / str(die_at))
