"""The store as the desk uses it: samples arrive, are committed, become chunks; the process dies and begins anew."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

from sentinel.core.sample import Batch
from sentinel.store.database import Database
from sentinel.store.history import History
from sentinel.store.restore import Restored, restore
from sentinel.store.upkeep import Upkeep
from tests.store.kit import at


class House:
    """A database in a folder, its head, its history and its housekeeping."""

    def __init__(
        self,
        folder: Path,
        span: timedelta = timedelta(hours=1),
        retention: timedelta = timedelta(35),
        most_bytes: int = 0,
    ) -> None:
        self.url = f"sqlite:///{folder}/sentinel.db"
        self._span, self._retention, self.most_bytes = span, retention, most_bytes
        self.start(at(0))

    def start(self, now: datetime) -> Restored:
        self.database = Database.open(self.url)
        self.restored = restore(self.database, now, self._span)
        self.head = self.restored.head
        self.history = History(self.database, self.head)
        self.upkeep = Upkeep(
            self.database, self.history, self._retention, timedelta(minutes=30), most_bytes=self.most_bytes
        )
        return self.restored

    def restart(self, seconds: float) -> Restored:
        """Die without a word (what was not committed is lost) and begin anew."""
        self.database.close()
        return self.start(at(seconds))

    def append(self, *batches: Batch) -> None:
        for batch in batches:
            self.head.append(batch)

    def commit(self, seconds: float = 0) -> None:
        with self.database.begin() as tx:
            tx.samples.journal(self.head.take_waiting())
            tx.samples.alive(at(seconds))

    def tidy(self, seconds: float) -> int:
        steps = 0
        while self.upkeep.step(at(seconds)):
            steps += 1
        return steps

    def flush(self) -> None:
        self.upkeep.flush()

    def count(self, table: str) -> int:
        with self.database.read() as tx:
            return int(tx._connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one())

    def spoil(self, table: str, row: int) -> None:
        """Flip a bit."""
        with self.database.begin() as tx:
            ask = tx._connection.exec_driver_sql
            body = bytearray(ask(f"SELECT body FROM {table} WHERE id = ?", (row,)).scalar_one())
            body[-1] ^= 4
            ask(f"UPDATE {table} SET body = ? WHERE id = ?", (bytes(body), row))
