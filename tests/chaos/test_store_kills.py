"""SIGKILL at random, hundreds of times: what was acknowledged is there, once, and answered as before.

`SENTINEL_CHAOS_SEED=7 pytest tests/chaos/test_store_kills.py -m chaos -n 0 -s` repeats a run.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep
from tests.store.kit import at, held, named

pytestmark = pytest.mark.chaos
KILLS = int(os.environ.get("SENTINEL_CHAOS_KILLS", "300"))
SERIES, KEPT = 70, 1800

#: The store at work: each second a look, a late sample now and then, chunks every 100 s, retention by time and size.
WRITER = """
import sys
from datetime import timedelta
from tests.chaos.test_store_kills import KEPT, SERIES, late
from tests.store.kit import at, gauge, look
from sentinel.core.sample import Sample
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep
first, every = int(sys.argv[2]), timedelta(seconds=1)
database = Database.open(sys.argv[1])
head = restore(database, at(first), timedelta(minutes=10)).head
history = History(database, head)
upkeep = Upkeep(database, history, timedelta(seconds=KEPT), timedelta(seconds=100), most_bytes=10**6)
for second in range(first, first + 100_000):
    head.append(look(second, *(gauge("a", second, n=str(n)) for n in range(SERIES)), every=every))
    if late(second):
        head.append(look(second, Sample("a", -1.0, {"n": "0"}, at(second - 300.5)), every=every, whole=False))
    with database.begin() as tx:
        tx.samples.journal(head.take_waiting())
    print(second, flush=True)
    upkeep.step(at(second))
"""


def late(second: int) -> bool:
    """Say whether a sample of five minutes ago comes with this second's."""
    return second > 400 and second % 37 == 0


def expected(first: int, last: int, n: int) -> list[tuple[float, float]]:
    """Return what one series must hold from one second to another."""
    samples = [(float(second), float(second)) for second in range(first, last + 1)]
    if n == 0:
        samples += [(second - 300.5, -1.0) for second in range(first, last + 301) if late(second)]
    return sorted(one for one in samples if first <= one[0] <= last)


def test_what_was_acknowledged_survives_every_sigkill(tmp_path: Path) -> None:
    """Journal, chunks, late samples, retention: killed at any moment of any of them."""
    seed = int(os.environ.get("SENTINEL_CHAOS_SEED", random.randrange(10**6)))
    print(f"\nSENTINEL_CHAOS_SEED={seed}")
    dice, url, first = random.Random(seed), f"sqlite:///{tmp_path}/sentinel.db", 0
    for kill in range(KILLS):
        acknowledged = _killed(url, first, dice)
        database = Database.open(url)
        head = restore(database, at(acknowledged), timedelta(minutes=10)).head
        history = History(database, head)
        since, last = max(0, acknowledged - KEPT // 2), acknowledged
        before = held(history, named("a"), last, over=last - since + 0.5)
        assert len(before) == SERIES
        for series, samples in before.items():
            n = int(series.removeprefix('a{n="').removesuffix('"}'))
            want = expected(since, last - 301, n) if n == 0 else expected(since, last, n)
            assert samples[: len(want)] == want, f"{series} after kill {kill}"
        Upkeep(database, history, timedelta(days=35)).flush()
        database.close()
        database = Database.open(url)
        again = History(database, restore(database, at(acknowledged), timedelta(minutes=10)).head)
        assert held(again, named("a"), last, over=last - since + 0.5) == before
        first = _newest(again) + 1  # one second may be on disk that nobody was told of
        assert first - 1 - acknowledged in (0, 1)
        database.close()
    print(f"{KILLS} kills, {first} seconds, {Path(tmp_path / 'sentinel.db').stat().st_size} bytes")


def _newest(history: History) -> int:
    (samples,) = held(history, named("a", n="1"), 10**6, over=10**6).values()
    return int(samples[-1][0])


def _killed(url: str, first: int, dice: random.Random) -> int:
    """Let the store work for a while, kill it, and return the last second that it acknowledged."""
    last = first - 1
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, url, str(first)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            last = int(line)
            if last >= first + dice.randrange(1, 250):
                break
        time.sleep(dice.uniform(0, 0.05))  # real time: the killer's, not the store's
        writer.kill()
        return max([last, *(int(line) for line in writer.stdout if line.endswith("\n"))])
