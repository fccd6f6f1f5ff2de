"""source, series, journal, chunk, meta: how samples lie on disk. Never a row a sample. Needs numpy.

The statements go to the driver as they are: samples are what there are most of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from sys import intern

from pydantic_core import to_json
from sqlalchemy import Connection

from sentinel.core.clock import from_ms, to_ms
from sentinel.core.labels import Labels, Matcher, MatchOp
from sentinel.core.relabelling import Relabelling
from sentinel.store import chunk, journal
from sentinel.store.blob import Damaged
from sentinel.store.chunk import BLOCK, Chunk, ids_of
from sentinel.store.columns import dump
from sentinel.store.driver import driver_of
from sentinel.store.rows import Look, Rows, Series

_CHUNK = "block, members, start_ms, end_ms, body, checksum"

#: The end of the last chunk that holds samples of a series, readable or not; {} is the series' id.
_END = (
    f"(SELECT end_ms FROM chunk WHERE block = {{0}} / {BLOCK} AND members >> ({{0}} % {BLOCK}) & 1 "  # noqa: S608
    "ORDER BY end_ms DESC LIMIT 1)"
)

#: Chunks with a series in question; the parameter is a JSON object: block -> bits of its series.
_ASKED = "json_each(?) AS asked CROSS JOIN chunk ON block = CAST(asked.key AS INTEGER) AND members & asked.value"


@dataclass(frozen=True, slots=True)
class Damage:
    """A blob that cannot be read: it is set aside, reported, and the rest goes on."""

    table: str
    id: int
    why: str

    def __str__(self) -> str:
        return f"{self.table} {self.id} cannot be read and was set aside: {self.why}"


class Samples:
    """The sample half of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection, self._driver = connection, driver_of(connection)
        #: What this transaction set aside.
        self.aside: list[Damage] = []

    def alive(self, at: datetime) -> None:
        """Note that the agent was at work; beside each commit, so that it knows later how long it was away."""
        self._driver.execute("INSERT OR REPLACE INTO meta VALUES ('alive_ms', ?)", (str(to_ms(at)),))

    def last_alive(self) -> datetime | None:
        """Return when the agent was last known to be at work; None for a fresh database."""
        found = self._connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'alive_ms'").scalar()
        return None if found is None else from_ms(int(found))

    def journal(self, rows: Rows) -> int | None:
        """Write the rows of one commit; return the entry's id, None if there was nothing to write."""
        if not rows:
            return None
        self.add_series(rows.series)
        body, checksum = journal.encode(rows)
        at_ms = max((look.at_ms for look in rows.looks), default=0)
        cursor = self._driver.execute(
            "INSERT INTO journal (at_ms, body, checksum, damaged) VALUES (?, ?, ?, '')", (at_ms, body, checksum)
        )
        return cursor.lastrowid

    def replay(self, damages: list[Damage]) -> Iterator[Rows]:
        """Yield every entry of the journal, in order; what cannot be read goes to `damages`."""
        rows = self._connection.exec_driver_sql("SELECT id, body, checksum FROM journal WHERE damaged = '' ORDER BY id")
        for id_, body, checksum in rows:
            try:
                yield journal.decode(body, checksum)
            except Damaged as exc:
                damages.append(Damage("journal", id_, str(exc)))

    def journal_tail(self) -> tuple[int, int | None]:
        """Return the newest entry's id (0 if there is none), and the time of the oldest that can be read."""
        newest = self._connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM journal").scalar_one()
        oldest = self._connection.exec_driver_sql("SELECT at_ms FROM journal WHERE damaged = '' ORDER BY id LIMIT 1")
        return newest, oldest.scalar()

    def forget_journal(self, up_to: int) -> None:
        """Delete the entries that chunks now hold; a damaged one is kept for whoever wants to look into it."""
        self._connection.exec_driver_sql("DELETE FROM journal WHERE id <= ? AND damaged = ''", (up_to,))

    def verify(self) -> Iterator[Damage]:
        """Read every blob that was not set aside, some at a time, and yield those that cannot be read."""
        found: list[Damage] = []
        for _ in self.replay(found):
            yield from found
            found.clear()
        yield from found
        rows = self._connection.exec_driver_sql(f"SELECT id, {_CHUNK} FROM chunk WHERE damaged = '' ORDER BY id")  # noqa: S608
        for row in rows:
            try:
                chunk.decode(Chunk(*row[1:]))
            except Damaged as exc:
                yield Damage("chunk", row[0], str(exc))

    def set_aside(self, damages: Iterable[Damage]) -> None:
        """Mark what cannot be read, so that nobody stumbles over it again."""
        for one in damages:
            assert one.table in ("journal", "chunk")
            self.aside.append(one)
            self._connection.exec_driver_sql(f"UPDATE {one.table} SET damaged = ? WHERE id = ?", (one.why, one.id))  # noqa: S608

    def damaged(self) -> list[Damage]:
        """Return all that was set aside."""
        return [
            Damage(table, *row)
            for table in ("journal", "chunk")
            for row in self._connection.exec_driver_sql(f"SELECT id, damaged FROM {table} WHERE damaged != ''")  # noqa: S608
        ]

    def looked(self, looks: Iterable[Look]) -> None:
        """Write down when each source last looked."""
        rows = [(look.source, look.name, look.interval_ms, look.at_ms if look.whole else None) for look in looks]
        if rows:
            self._connection.exec_driver_sql(
                "INSERT INTO source (id, name, interval_ms, whole_ms) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE "
                "SET interval_ms = excluded.interval_ms, whole_ms = coalesce(excluded.whole_ms, whole_ms)",
                rows,
            )

    def sources(self) -> list[Look]:
        """Return every source as it was last written down; `at_ms` is its last whole look, 0 if it had none."""
        rows = self._connection.exec_driver_sql("SELECT id, name, interval_ms, whole_ms FROM source ORDER BY id")
        return [Look(id_, name, whole or 0, interval, whole is not None) for id_, name, interval, whole in rows]

    def series(self, after: int = 0, matchers: Iterable[Matcher] = ()) -> Iterator[Series]:
        """Yield every series whose id is greater, in order.

        Args:
            after: the id.
            matchers: series that do not have what these say must be equal may be left out.
        """
        pairs = [f"{dump(m.name)}:{dump(m.value)}" for m in matchers if m.op is MatchOp.EQUAL and m.value]
        rows = self._connection.exec_driver_sql(
            f"SELECT id, labels, source FROM series WHERE id > ? {'AND instr(labels, ?)' * len(pairs)} ORDER BY id",  # noqa: S608
            (after, *pairs),
        )
        return (Series(id_, _labels(labels), source) for id_, labels, source in rows)

    def known(self, labels: Sequence[Labels]) -> dict[Labels, tuple[int, int]]:
        """Return those of these series that were ever seen: their id, and the end of their last chunk (or 0)."""
        by_text = {_text(one): one for one in labels}
        rows = self._connection.exec_driver_sql(
            f"SELECT labels, id, coalesce({_END.format('series.id')}, 0) "  # noqa: S608 # constants of this file
            "FROM series WHERE labels IN (SELECT value FROM json_each(?))",
            (to_json(list(by_text)).decode(),),
        )
        return {by_text[text]: (id_, end_ms) for text, id_, end_ms in rows}

    def series_of(self, ids: Iterable[int]) -> Iterator[Series]:
        """Yield these series, in the order of their ids."""
        rows = self._connection.exec_driver_sql(
            "SELECT id, labels, source FROM series WHERE id IN (SELECT value FROM json_each(?)) ORDER BY id",
            (json.dumps(list(ids)),),
        )
        return (Series(id_, _labels(labels), source) for id_, labels, source in rows)

    def add_series(self, series: Iterable[Series]) -> None:
        """Write down series of which nobody knew."""
        rows = [(one.id, _text(one.labels), one.source) for one in series]
        if rows:
            self._connection.exec_driver_sql("INSERT OR IGNORE INTO series (id, labels, source) VALUES (?, ?, ?)", rows)

    def rename_sources(self, names: Mapping[str, str]) -> None:
        """Let sources, by their earlier names, have other ones, which no source has."""
        for was, name in names.items():
            self._connection.exec_driver_sql("UPDATE source SET name = ? WHERE name = ?", (name, was))

    def relabel(self, relabelling: Relabelling) -> dict[int, Labels]:
        """Let series have other labels, and return those by id; one whose labels another series has stays as it is."""
        asked = [Matcher(label, MatchOp.EQUAL, was) for label, was in relabelling.pairs()]
        found = {one.id: one.labels for matcher in asked for one in self.series(matchers=[matcher])}
        wanted: dict[Labels, int] = {}
        for id_, labels in found.items():
            if (present := relabelling.labels(labels)) is not labels:
                wanted.setdefault(present, id_)
        taken = self.known(list(wanted))
        moved = {id_: labels for labels, id_ in wanted.items() if labels not in taken}
        if moved:
            rows = [(_text(labels), id_) for id_, labels in moved.items()]
            self._connection.exec_driver_sql("UPDATE series SET labels = ? WHERE id = ?", rows)
        return moved

    def last_id(self) -> int:
        """Return the greatest id of a series, 0 if there is none."""
        return int(self._connection.exec_driver_sql("SELECT coalesce(max(id), 0) FROM series").scalar_one())

    def write(self, written: Iterable[Chunk], instead_of: Iterable[int] = ()) -> None:
        """Add chunks, in the place of others if some were not yet full."""
        old = [(id_,) for id_ in instead_of]
        if old:
            self._connection.exec_driver_sql("DELETE FROM chunk WHERE id = ?", old)
        rows = [(c.block, c.members, c.start_ms, c.end_ms, c.body, c.checksum) for c in written]
        if rows:
            self._connection.exec_driver_sql(
                f"INSERT INTO chunk ({_CHUNK}, damaged) VALUES (?, ?, ?, ?, ?, ?, '')",  # noqa: S608 # a constant
                rows,
            )

    def chunks(self, ids: Iterable[int], after_ms: int, until_ms: int) -> list[tuple[int, Chunk]]:
        """Return the chunks (with their row's id) of some series that reach into (after, until], in any order."""
        return self._chunks(_ASKED, "end_ms > ? AND start_ms <= ?", (_asked(ids), after_ms, until_ms))

    def reaching(self, ids: Iterable[int], since_ms: int, until_ms: int) -> set[int]:
        """Return those of some series that have a chunk reaching into these bounds."""
        asked = set(ids)
        rows = self._connection.exec_driver_sql(
            f"SELECT DISTINCT block, members FROM {_ASKED} WHERE damaged = '' AND end_ms >= ? AND start_ms <= ?",  # noqa: S608
            (_asked(asked), since_ms, until_ms),
        )
        return asked.intersection(id_ for block, members in rows for id_ in ids_of(block, members))

    def chunks_since(self, after_ms: int) -> list[tuple[int, Chunk]]:
        """Return the chunks of every series that reach beyond an instant, in any order."""
        return self._chunks("chunk", "end_ms > ?", (after_ms,))

    def ends(self, ids: Iterable[int]) -> dict[int, int]:
        """Return up to when chunks, readable or not, hold the samples of some series."""
        rows = self._connection.exec_driver_sql(
            f"SELECT value, {_END.format('value')} FROM json_each(?)",  # noqa: S608 # constants of this file
            (json.dumps(list(ids)),),
        )
        return {id_: end_ms for id_, end_ms in rows if end_ms is not None}

    def oldest_ms(self) -> int | None:
        """Return when the first chunk begins, or the first entry of the journal was written; None without any."""
        found = self._connection.exec_driver_sql(
            "SELECT min(ms) FROM (SELECT min(start_ms) AS ms FROM chunk UNION ALL SELECT min(at_ms) FROM journal)"
        )
        return found.scalar()

    def of_source(self, source: int) -> list[int]:
        """Return the ids of the series that a source brought first."""
        return list(self._connection.exec_driver_sql("SELECT id FROM series WHERE source = ?", (source,)).scalars())

    def expire(self, before_ms: int, limit: int) -> set[int]:
        """Delete the oldest chunks (and what was set aside of the journal) that end before an instant.

        Args:
            before_ms: the instant.
            limit: how many at most.

        Returns:
            The ids of their series.
        """
        done = self._connection.exec_driver_sql(
            "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE end_ms < ? ORDER BY end_ms LIMIT ?) "
            "RETURNING block, members",
            (before_ms, limit),
        )
        series = {id_ for block, members in done for id_ in ids_of(block, members)}
        self._connection.exec_driver_sql("DELETE FROM journal WHERE damaged != '' AND at_ms < ?", (before_ms,))
        return series

    def rewind(self, until_ms: int, entry: int, limit: int) -> int:
        """Cut off what lies beyond an instant, of a few chunks and entries of the journal.

        Args:
            until_ms: the instant.
            entry: the last one of the journal to be looked at; what comes later was written by the right time.
            limit: how many at most, of each kind.

        Returns:
            How many it were; 0: nothing is left to be cut.
        """
        ahead = self._chunks("chunk", "end_ms > ? LIMIT ?", (until_ms, limit))
        for row, one in ahead:
            try:
                kept = [chunk.until(one, until_ms)] if one.start_ms <= until_ms else []
            except Damaged as exc:
                self.set_aside([Damage("chunk", row, str(exc))])
            else:
                self.write(kept, [row])
        entries = self._connection.exec_driver_sql(
            "SELECT id, body, checksum FROM journal WHERE damaged = '' AND id <= ? AND at_ms > ? LIMIT ?",
            (entry, until_ms, limit),
        ).all()
        for row, body, checksum in entries:
            try:
                cut = journal.encode(journal.decode(body, checksum).until(until_ms))
            except Damaged as exc:
                self.set_aside([Damage("journal", row, str(exc))])
            else:
                self._connection.exec_driver_sql(
                    "UPDATE journal SET at_ms = ?, body = ?, checksum = ? WHERE id = ?", (until_ms, *cut, row)
                )
        return len(ahead) + len(entries)

    def hold_retention(self, since: datetime) -> None:
        """Note since when the clock is steady, after it leapt: nothing is deleted by its word before a day is over."""
        self._connection.exec_driver_sql("INSERT OR REPLACE INTO meta VALUES ('steady_ms', ?)", (str(to_ms(since)),))

    def steady_since(self) -> datetime | None:
        """Return since when the clock is steady; None if it never leapt."""
        found = self._connection.exec_driver_sql("SELECT value FROM meta WHERE key = 'steady_ms'").scalar()
        return None if found is None else from_ms(int(found))

    def forget_series(self, ids: Iterable[int]) -> None:
        """Delete series."""
        rows = [(id_,) for id_ in ids]
        if rows:
            self._connection.exec_driver_sql("DELETE FROM series WHERE id = ?", rows)

    def size_bytes(self) -> int:
        """Return the size of the database, without what is free in its file."""
        pages, free, size = (
            int(self._connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())
            for name in ("page_count", "freelist_count", "page_size")
        )
        return (pages - free) * size

    def shrink(self, pages: int) -> None:
        """Give free pages back to the file system, one by one: Python's driver stops after the first of several."""
        free = self._connection.exec_driver_sql("PRAGMA freelist_count").scalar_one()
        for _ in range(min(free, pages)):
            self._connection.exec_driver_sql("PRAGMA incremental_vacuum(1)")

    def _chunks(self, tables: str, where: str, values: tuple[object, ...]) -> list[tuple[int, Chunk]]:
        sql = f"SELECT chunk.id, {_CHUNK} FROM {tables} WHERE damaged = '' AND {where}"  # noqa: S608 # constants of this file
        return [(row[0], Chunk(*row[1:])) for row in self._connection.exec_driver_sql(sql, values)]


def _text(labels: Labels) -> str:
    """Write labels down; pydantic's writer takes a quarter of the time of Python's for the same letters."""
    return to_json(labels.as_dict()).decode()


def _labels(text: str) -> Labels:
    """Return labels as they were written down: sorted, none of them empty. Names are the same in many series."""
    return Labels((intern(name), value) for name, value in json.loads(text).items())


def _asked(ids: Iterable[int]) -> str:
    """Return the bits of some series by their block, as `_ASKED` takes them."""
    bits: dict[int, int] = {}
    for id_ in ids:
        bits[id_ // BLOCK] = bits.get(id_ // BLOCK, 0) | 1 << id_ % BLOCK
    return json.dumps(bits)
