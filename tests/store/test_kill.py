"""SIGKILL in the middle of writing: what was acknowledged is there, once."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import restore
from tests.store.kit import at, held, named

WRITER = """
import sys
from datetime import timedelta
from tests.store.kit import at, gauge, look
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import restore
from sentinel.store.upkeep import Upkeep
first = int(sys.argv[2])
database = Database.open(sys.argv[1])
head = restore(database, at(first)).head
upkeep = Upkeep(database, History(database, head), timedelta(days=35), timedelta(seconds=200))
for second in range(first, first + 100_000):
    head.append(look(second, *(gauge("a", second, n=str(n)) for n in range(50)), every=timedelta(seconds=1)))
    with database.begin() as tx:
        tx.samples.journal(head.take_waiting())
    print(second, flush=True)
    upkeep.step(at(second))
"""


def test_what_was_acknowledged_survives_sigkill(url: str) -> None:
    """Killed at any statement: of the journal, of a chunk, of the end of the journal."""
    dice, first, last = random.Random(7), 0, -1
    for _ in range(2):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, url, str(first)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parent.parent.parent,
        ) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                last = int(line)
                if last >= first + 220:
                    break
            time.sleep(dice.uniform(0, 0.2))  # real time: the killer's, not the agent's
            writer.kill()
            last = max([last, *(int(line) for line in writer.stdout if line.endswith("\n"))])
        database = Database.open(url)
        history = History(database, restore(database, at(last)).head)
        found = held(history, named("a"), last + 10, over=10**6)
        assert len(found) == 50
        for samples in found.values():
            times = [t for t, _ in samples]
            assert times[: last + 1] == [float(second) for second in range(last + 1)]
            assert len(times) <= last + 2  # one may be on disk that nobody was told of
        first = len(times)
        database.close()
