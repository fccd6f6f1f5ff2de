"""The audit's chain of hashes."""

from __future__ import annotations

import math

import pytest

from sentinel.core.alert import Alert, Change, Phase, Standing, Transition
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.store.database import Database
from tests.store.kit import START, at


def _seven(database: Database) -> None:
    with database.begin() as tx:
        for number in range(1, 8):
            assert tx.audit.append(at(number), "silence", f"s{number}", {"author": "ann", "n": number}) == number


def test_an_untouched_chain_is_whole(database: Database) -> None:
    """Also when it is empty."""
    with database.read() as tx:
        assert list(tx.audit.verify()) == []
    _seven(database)
    with database.read() as tx:
        assert list(tx.audit.verify()) == []


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        ("UPDATE audit SET body = replace(body, 'ann', 'bob') WHERE seq = 3", ["audit row 3 (silence s3 at "]),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", ["audit row 1 (silence s1 at "]),
        ("DELETE FROM audit WHERE seq IN (4, 5)", ["audit rows 4 to 5 were removed"]),
        ("DELETE FROM audit WHERE seq = 1", ["audit row 1 was removed"]),
        ("DELETE FROM audit WHERE seq >= 7", ["audit row 7 was removed"]),
        ("DELETE FROM audit", ["audit rows 1 to 7 were removed"]),
        (
            "UPDATE audit SET subject = CASE seq WHEN 2 THEN 's6' ELSE 's2' END WHERE seq IN (2, 6)",
            ["audit row 2 (silence s6", "audit row 6 (silence s2"],
        ),
    ],
)
def test_a_row_that_was_changed_removed_or_moved_is_named(database: Database, sql: str, says: list[str]) -> None:
    """Whoever edits the file leaves a trace."""
    _seven(database)
    with database.begin() as tx:
        tx._connection.exec_driver_sql(sql)
    with database.read() as tx:
        found = list(tx.audit.verify())
    assert len(found) == len(says)
    assert all(part in line for part, line in zip(says, found, strict=True))


def test_a_transition_says_what_changed_and_why(database: Database) -> None:
    """Time, alert, from, to, value, threshold, reason, revision; a NaN is written as a word."""
    alert = Alert("r", Labels.of(a="b"), {Severity.ERROR: Standing(Phase.FIRING, START)}, math.nan, "above 5%", "6 > 5")
    change = Transition(Change.FIRED, Phase.PENDING, alert, START, Severity.ERROR)
    with database.begin() as tx:
        tx.audit.append(START, "revision", "abc", {})
        tx.audit.transition(change, "abc")
    with database.read() as tx:
        (entry,) = tx.audit.newest(5, kind="transition", subject=alert.fingerprint)
        assert [one.kind for one in tx.audit.newest(5)] == ["transition", "revision"]
        assert [one.kind for one in tx.audit.newest(1, kind="revision")] == ["revision"]
    assert entry.at == START
    assert entry.body == {
        "rule": "r",
        "labels": {"a": "b"},
        "change": "fired",
        "from": "pending",
        "to": "firing",
        "severity": "error",
        "value": "nan",
        "threshold": "above 5%",
        "reason": "6 > 5",
        "revision": "abc",
    }


def test_a_work_undone_leaves_no_gap(database: Database) -> None:
    """The chain goes on from what was committed."""
    with database.begin() as tx:
        tx.audit.append(START, "silence", "a", {})
        with pytest.raises(ValueError, match="undone"), tx.savepoint():
            raise ValueError(f"undone, row {tx.audit.append(START, 'silence', 'b', {})}")
        assert tx.audit.append(START, "silence", "c", {}) == 2
    with database.read() as tx:
        assert list(tx.audit.verify()) == []
