"""audit: what happened, in a chain of hashes that shows whether a row was changed, removed or moved."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from sentinel.core.alert import Transition
from sentinel.core.clock import from_ms, to_ms
from sentinel.store.chain import PRUNE, Link, canonical, chained, flaws

_COLUMNS = "seq, at, kind, subject, body, hash"
#: The highest number that was ever given: SQLite remembers it, also when the row is gone.
_GIVEN = (
    "SELECT coalesce(max(seq), 0) FROM"
    " (SELECT seq FROM sqlite_sequence WHERE name = 'audit' UNION ALL SELECT max(seq) FROM audit)"
)
_LAST = f"SELECT ({_GIVEN}), coalesce((SELECT hash FROM audit ORDER BY seq DESC LIMIT 1), '')"  # noqa: S608


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the audit.

    Args:
        seq: its number, from 1, without gaps.
        at: when it happened.
        kind: "transition", "silence", "acknowledgement", "revision", "retry" …
        subject: what it is about: an alert's fingerprint, a silence's id.
        body: the facts.
        hash: SHA-256 over the hash before and this row's own content, in hex.
    """

    seq: int
    at: datetime
    kind: str
    subject: str
    body: Mapping[str, Any]
    hash: str


class Audit:
    """Appended to, read, and never changed; the retention of samples does not touch it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def append(self, at: datetime, kind: str, subject: str, body: Mapping[str, Any]) -> int:
        """Write down one thing, and return its number."""
        return self._extend([(at, kind, subject, body)])

    def transitions(self, transitions: Iterable[Transition], revision: str = "") -> None:
        """Write down changes of alerts, under the revision of the configuration that decided them."""
        self._extend([(one.at, "transition", one.alert.fingerprint, _body(one, revision)) for one in transitions])

    def _extend(self, facts: Iterable[tuple[datetime, str, str, Mapping[str, Any]]]) -> int:
        """Write down several things with one statement; return the number of the last.

        Numbers go on from the highest that was ever given, so that rows cut off the end leave a gap for good.
        """
        seq, hash_ = self._connection.exec_driver_sql(_LAST).one()
        rows = []
        for at, kind, subject, body in facts:
            seq, at_ms, text = seq + 1, to_ms(at), canonical(body)
            hash_ = chained(hash_, seq, at_ms, kind, subject, text)
            rows.append((seq, at_ms, kind, subject, text, hash_))
        if rows:
            self._connection.exec_driver_sql(f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
        return int(seq)

    def newest(self, limit: int, kind: str | None = None, subject: str | None = None) -> list[Entry]:
        """Return the last rows, newest first, of one kind or about one subject if asked."""
        wanted = {"kind": kind, "subject": subject}
        where = " AND ".join(f"{name} = :{name}" for name, value in wanted.items() if value is not None)
        sql = f"SELECT {_COLUMNS} FROM audit {'WHERE ' + where if where else ''} ORDER BY seq DESC LIMIT :limit"  # noqa: S608
        rows = self._connection.exec_driver_sql(sql, {**wanted, "limit": limit})
        return [Entry(seq, from_ms(at), k, s, json.loads(body), hash_) for seq, at, k, s, body, hash_ in rows]

    def last_about(self, begin: str, kind: str) -> Entry | None:
        """Return the last row of a kind whose subject begins so; None where there is none."""
        sql = "SELECT subject FROM audit WHERE kind = ? AND substr(subject, 1, ?) = ? ORDER BY seq DESC LIMIT 1"
        subject = self._connection.exec_driver_sql(sql, (kind, len(begin), begin)).scalar()
        return None if subject is None else next(iter(self.newest(1, kind, subject)), None)

    def between(self, start: datetime, end: datetime, kind: str) -> Iterator[Mapping[str, Any]]:
        """Iterate over the facts of one kind in a time, both ends included, the oldest first."""
        sql = "SELECT body FROM audit WHERE kind = ? AND at BETWEEN ? AND ? ORDER BY seq"
        rows = self._connection.exec_driver_sql(sql, (kind, to_ms(start), to_ms(end)))
        return (json.loads(body) for (body,) in rows)

    def links(self, after: int = 0, before: datetime | None = None) -> Iterator[Link]:
        """Iterate over the rows as they are hashed, oldest first.

        Args:
            after: only rows with a higher number.
            before: end at the first row of this instant or later.
        """
        until = self._first_of(before) if before else None
        sql = f"SELECT {_COLUMNS} FROM audit WHERE seq > :after ORDER BY seq"  # noqa: S608 # a constant
        for row in self._connection.exec_driver_sql(sql, {"after": after}):
            if row[0] == until:
                return
            yield Link(*row)

    def verdict(self, seq: int = 0) -> dict[str, Any]:
        """Return what is wrong with the chain, the numbers of its ends, the hash of the last row and that of `seq`."""
        found = list(self.verify())
        ends = "SELECT seq, hash FROM audit ORDER BY seq {} LIMIT 1"
        first = self._connection.exec_driver_sql(ends.format("ASC")).first()
        last = self._connection.exec_driver_sql(ends.format("DESC")).first()
        noted = self._connection.exec_driver_sql("SELECT hash FROM audit WHERE seq = ?", (seq,)).scalar()
        return {
            "flaws": found,
            "first": first[0] if first else 0,
            "last": last[0] if last else 0,
            "hash": last[1] if last else "",
            "hash_of_seq": noted or "",
        }

    def verify(self) -> Iterator[str]:
        """Yield what is wrong with the chain, row by row; nothing if it is whole. See `chain.flaws`."""
        return flaws(self.links(), self._connection.exec_driver_sql(_GIVEN).scalar_one())

    def prune(self, through: int, at: datetime, author: str) -> int:
        """Remove the rows up to a number, leave one that says so and carries the chain on; return how many they were.

        Raises:
            LookupError: there is no row of that number.
        """
        hash_ = self._connection.exec_driver_sql("SELECT hash FROM audit WHERE seq = ?", (through,)).scalar()
        if hash_ is None:
            raise LookupError(f"there is no audit row {through}")
        count = self._connection.exec_driver_sql("SELECT count(*) FROM audit WHERE seq <= ?", (through,)).scalar_one()
        body = {"author": author, "through": through, "hash": hash_, "rows": count}
        self.append(at, PRUNE, f"rows up to {through}", body)
        self._connection.exec_driver_sql("DELETE FROM audit WHERE seq <= ?", (through,))
        return int(count)

    def _first_of(self, at: datetime) -> int | None:
        return self._connection.exec_driver_sql("SELECT min(seq) FROM audit WHERE at >= ?", (to_ms(at),)).scalar()


def _body(transition: Transition, revision: str) -> Mapping[str, Any]:
    alert = transition.alert
    return {
        "rule": alert.rule,
        "labels": alert.labels.as_dict(),
        "change": transition.change,
        "from": transition.was,
        "to": alert.phase,
        "severity": None if transition.severity is None else str(transition.severity),
        "value": alert.value,
        "threshold": alert.threshold,
        "reason": transition.reason or alert.reason,
        "revision": revision,
    }
