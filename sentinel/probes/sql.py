"""sql: numbers that a query finds in a database.

    probes:
      purchases:
        sql:
          url: "${SHOP_DB}"                     # SQLAlchemy's: sqlite:///shop.db, postgresql://…, mysql://…
          query: select status, count(*) as purchases_total from purchases group by status
        every: 15s

A column of numbers is a metric of its name; booleans are 0 and 1, times Unix seconds, intervals seconds. A column of
text is a label, and so is each column under `labels`. The query runs in a read-only transaction that is never
committed, on one connection that is kept, and is cancelled at the probe's timeout. In SQLite, a time is text: write
`unixepoch(created_at)`.

Keys
    url       of the database, as SQLAlchemy writes it
    query     one that only reads
    labels    columns that are labels although they hold numbers: [account_id]
    rows      the most rows that may come, default 1000; together they may hold 4 MiB of text

Emits
    one sample for each number of each row
    probe_sql_duration_seconds{phase}  connect (0 on the connection of an earlier look), query
    probe_sql_rows          how many rows came
    probe_sql_row{…} 1      for a row that has no number

A NULL where a number should be, and two rows with the same labels, fail the run: write `coalesce(sum(x), 0)`, or group.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, ClassVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from sentinel.core.fields import LabelName
from sentinel.core.sample import Sample
from sentinel.probes.base import Look, Measure, ProbeKind

if TYPE_CHECKING:
    from sentinel.probes.database import Session


def _database_url(text: str) -> str:
    scheme, slashes, _ = text.partition("://")
    if not slashes or not scheme:
        raise ValueError("should be a database's URL such as postgresql://user@host/name or sqlite:///shop.db")
    return text


def _query(text: str) -> str:
    query = text.strip().rstrip(";").rstrip()
    if not query:
        raise ValueError("should be a query such as: select count(*) as orders from orders")
    return query


class Sql(ProbeKind):
    """One query."""

    COUNTERS_FROM_ZERO: ClassVar[bool] = True

    url: Annotated[str, AfterValidator(_database_url)]
    query: Annotated[str, AfterValidator(_query)]
    labels: tuple[LabelName, ...] = ()
    rows: Annotated[int, Field(ge=1, le=100_000)] = 1000

    def host(self) -> str:
        """Return the database's host, "" for a file."""
        return urlsplit(self.url).hostname or ""

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Measure]:
        """Hold the one connection; it is opened by the first look."""
        from sentinel.probes.database import Session

        session = Session(self.url)
        try:
            yield partial(self._look, session)
        finally:
            session.close()

    async def _look(self, session: Session, look: Look) -> Sequence[Sample]:
        from sentinel.probes.rows import samples_of

        try:
            table = await session.ask(self.query, self.rows, look)
        finally:
            for phase, seconds in session.phases.items():
                look.keep("probe_sql_duration_seconds", seconds, phase=phase)
        look.keep("probe_sql_rows", float(len(table.rows)))
        return samples_of(table, frozenset(self.labels))
