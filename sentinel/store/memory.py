"""heartbeat, probe_memory: what is remembered between looks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects.sqlite import insert

from sentinel.core.heartbeat import Heartbeat
from sentinel.store.shelf import Shelf, table_of
from sentinel.store.tables import HeartbeatRow, ProbeMemoryRow


class Heartbeats(Shelf[Heartbeat]):
    """Jobs that call, keyed by name."""

    ROW = HeartbeatRow
    VALUE = Heartbeat

    def get(self, name: str) -> Heartbeat | None:
        """Return one, or None."""
        return next(iter(self._read(self._rows.where(self.table.c.name == name))), None)

    def remove(self, name: str) -> bool:
        """Forget one, and say whether it was there."""
        return self._remove(name=name)


class ProbeMemory:
    """A small JSON mapping for each probe that keeps one."""

    _TABLE = table_of(ProbeMemoryRow)
    _PUT = insert(_TABLE).prefix_with("OR REPLACE")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, probe: str, memory: Mapping[str, Any]) -> None:
        """Keep this until the next look."""
        self._connection.execute(self._PUT, {"probe": probe, "memory": memory})

    def rename(self, was: str, name: str) -> None:
        """Let one probe remember what another one did, unless it remembers something itself."""
        earlier = update(self._TABLE).where(self._TABLE.c.probe == was).values(probe=name).prefix_with("OR IGNORE")
        self._connection.execute(earlier)

    def all(self) -> dict[str, dict[str, Any]]:
        """Return what each probe remembers, by its name."""
        return {row.probe: row.memory for row in self._connection.execute(select(self._TABLE))}
