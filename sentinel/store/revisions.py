"""revision: the configurations that were in use lately."""

from __future__ import annotations

from sqlalchemy import select

from sentinel.core.revision import Revision
from sentinel.store.shelf import Shelf
from sentinel.store.tables import RevisionRow


class Revisions(Shelf[Revision]):
    """Configurations that were good: only what was loaded whole is put here."""

    ROW = RevisionRow
    VALUE = Revision

    def last_good(self) -> Revision | None:
        """Return the one in use last; what a start with a bad tree falls back to."""
        return next(iter(self.newest(1)), None)

    def newest(self, limit: int) -> list[Revision]:
        """Return the last ones, newest first."""
        return self._read(self._rows.order_by(self.table.c.loaded_at.desc()).limit(limit))

    def expire(self, keep: int) -> None:
        """Forget all but the last ones."""
        column = self.table.c
        newest = select(column.id).order_by(column.loaded_at.desc()).limit(keep)
        self._connection.execute(self._gone.where(column.id.not_in(newest)))
