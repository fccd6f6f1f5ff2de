"""Offline: the past is put into a database that no agent has open. Needs numpy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sentinel.core.clock import to_ms
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.intake import FUTURE_MS
from sentinel.store.past import Counts, insert
from sentinel.store.restore import restore
from sentinel.store.stretch import Stretch
from sentinel.store.upkeep import Upkeep


@contextmanager
def opened(url: str, now: datetime, retention: timedelta) -> Iterator[Callable[[Sequence[Stretch]], Counts]]:
    """Hold a database, and yield what puts samples into it, each call a transaction.

    What waits in the journal becomes chunks first, so that nothing stands between them and the newest samples.

    Args:
        url: `sqlite:///path`; the file is made if it is not there.
        now: samples later than this, but for another machine's clock, are too new.
        retention: samples older than this are too old.

    Raises:
        StoreUnavailable: an agent has it open, or it cannot be used.
    """
    database = Database.open(url)
    try:
        history = History(database, restore(database, now).head)
        Upkeep(database, history, retention).flush()
        after_ms, until_ms = to_ms(now - retention), to_ms(now) + FUTURE_MS

        def take(stretches: Sequence[Stretch]) -> Counts:
            with database.begin() as tx:
                return insert(tx.samples, history.head, stretches, after_ms, until_ms)

        yield take
    finally:
        database.close()
