"""audit: what happened, in a chain of hashes that shows whether a row was changed, removed or moved."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from sentinel.core.alert import Transition
from sentinel.core.clock import from_ms, to_ms
from sentinel.store.columns import dump

_SORTED = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False).encode
_COLUMNS = "seq, at, kind, subject, body, hash"


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
        last = self._connection.exec_driver_sql("SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1").first()
        seq, before = (last[0] + 1, last[1]) if last else (1, "")
        at_ms, text = to_ms(at), canonical(body)
        self._connection.exec_driver_sql(
            f"INSERT INTO audit ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)",  # noqa: S608 # a constant
            (seq, at_ms, kind, subject, text, chained(before, seq, at_ms, kind, subject, text)),
        )
        return seq

    def transition(self, transition: Transition, revision: str = "") -> int:
        """Write down one change of an alert, under the revision of the configuration that decided it."""
        alert = transition.alert
        body = {
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
        return self.append(transition.at, "transition", alert.fingerprint, body)

    def newest(self, limit: int, kind: str | None = None, subject: str | None = None) -> list[Entry]:
        """Return the last rows, newest first, of one kind or about one subject if asked."""
        wanted = {"kind": kind, "subject": subject}
        where = " AND ".join(f"{name} = :{name}" for name, value in wanted.items() if value is not None)
        sql = f"SELECT {_COLUMNS} FROM audit {'WHERE ' + where if where else ''} ORDER BY seq DESC LIMIT :limit"  # noqa: S608
        rows = self._connection.exec_driver_sql(sql, {**wanted, "limit": limit})
        return [Entry(seq, from_ms(at), k, s, json.loads(body), hash_) for seq, at, k, s, body, hash_ in rows]

    def verify(self) -> Iterator[str]:
        """Yield what is wrong with the chain, row by row; nothing if it is whole.

        1. Numbers run from 1 without a gap: a gap is a removed row.
        2. Each hash is that of the hash before and the row's own content: else the row was changed.
        3. SQLite remembers the highest number given: rows missing at the end were removed too.
        """
        expected, before = 1, ""
        rows = self._connection.exec_driver_sql(f"SELECT {_COLUMNS} FROM audit ORDER BY seq")  # noqa: S608
        for seq, at_ms, kind, subject, body, found in rows:
            if seq != expected:
                yield _missing(expected, seq - 1)
            elif found != chained(before, seq, at_ms, kind, subject, body):
                yield f"audit row {seq} ({kind} {subject} at {from_ms(at_ms):%Y-%m-%d %H:%M:%S}) was changed"
            expected, before = seq + 1, found
        given = self._connection.exec_driver_sql("SELECT seq FROM sqlite_sequence WHERE name = 'audit'").scalar()
        if given is not None and given >= expected:
            yield _missing(expected, given)


def _missing(first: int, last: int) -> str:
    return f"audit row {first} was removed" if first == last else f"audit rows {first} to {last} were removed"


def canonical(body: Mapping[str, Any]) -> str:
    """Write a body's JSON in the one way that is hashed: keys sorted, no spaces; NaN and infinities as texts."""
    plain = {k: str(v) if isinstance(v, float) and not math.isfinite(v) else v for k, v in body.items()}
    return _SORTED(plain)


def chained(before: str, seq: int, at_ms: int, kind: str, subject: str, body: str) -> str:
    """Return a row's hash: SHA-256, in hex, over the hash before it and its own content as canonical JSON."""
    return hashlib.sha256(dump([before, seq, at_ms, kind, subject, body]).encode()).hexdigest()
