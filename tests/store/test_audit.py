"""The audit's chain of hashes."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel.core.alert import Alert, Change, Phase, Standing, Transition
from sentinel.core.clock import to_ms
from sentinel.core.labels import Labels
from sentinel.core.severity import Severity
from sentinel.store.chain import Link, canonical, chained, flaws, from_line, to_line
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
        ("UPDATE audit SET hash = lower(hex(randomblob(32))) WHERE seq = 4", ["audit row 4 (silence s4 at "]),
        ("UPDATE audit SET at = 'never' WHERE seq = 4", ["audit row 4 (silence s4 at 'never')"]),
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
        tx.audit.transitions([change], "abc")
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


def test_rows_that_changed_places_are_named(database: Database) -> None:
    """Each whole, with its hash, under the other's number."""
    _seven(database)
    _write(database, "UPDATE audit SET seq = CASE seq WHEN 2 THEN -6 WHEN 6 THEN -2 END WHERE seq IN (2, 6)")
    _write(database, "UPDATE audit SET seq = -seq WHERE seq < 0")
    assert _flaws(database) == [
        "audit row 2 (silence s6 at 2026-01-01 00:00:06) was moved: it was written as row 6",
        "audit row 6 (silence s2 at 2026-01-01 00:00:02) was moved: it was written as row 2",
    ]


def test_rows_cut_off_the_end_leave_a_gap_for_good(database: Database) -> None:
    """SQLite remembers which numbers were given, so that what is written later cannot take their place."""
    _seven(database)
    _write(database, "DELETE FROM audit WHERE seq > 5")
    with database.begin() as tx:
        assert tx.audit.append(at(9), "silence", "later", {}) == 8
    assert _flaws(database) == ["audit rows 6 to 7 were removed"]
    _write(database, "DELETE FROM sqlite_sequence WHERE name = 'audit'")
    with database.begin() as tx:
        assert tx.audit.append(at(9), "silence", "later still", {}) == 9


def test_a_prune_leaves_an_anchor(database: Database) -> None:
    """The chain goes on from it, and what is changed after or before it is still found."""
    _seven(database)
    with database.begin() as tx:
        assert tx.audit.prune(4, at(20), "ann") == 4
        assert tx.audit.append(at(21), "silence", "later", {}) == 9
    assert _flaws(database) == []
    with database.begin() as tx:
        assert tx.audit.prune(8, at(22), "ann") == 4
        (entry,) = tx.audit.newest(1)
    assert (entry.kind, entry.body["author"], entry.body["through"]) == ("prune", "ann", 8)
    assert _flaws(database) == []
    with database.begin() as tx, pytest.raises(LookupError, match="there is no audit row 8"):
        tx.audit.prune(8, at(23), "ann")
    _write(database, "DELETE FROM audit WHERE seq = 9")
    assert _flaws(database) == ["audit rows 1 to 9 were removed"]


def test_an_anchor_that_was_changed_is_found(database: Database) -> None:
    """It is a row like others."""
    _seven(database)
    with database.begin() as tx:
        tx.audit.prune(4, at(20), "ann")
    _write(database, "UPDATE audit SET body = replace(body, 'ann', 'bob') WHERE kind = 'prune'")
    (flaw,) = _flaws(database)
    assert "(prune rows up to 4 at " in flaw


ROWS = [
    (at(number), kind, f"s{number}", {"author": "änn", "n": number, "share": 0.1 * number})
    for number, kind in enumerate(["revision", "silence", "transition", "retry", "silence", "prune", "transition"])
]


def _chain() -> list[Link]:
    links, before = [], ""
    for seq, (instant, kind, subject, body) in enumerate(ROWS, 1):
        text, at_ms = canonical(body), to_ms(instant)
        before = chained(before, seq, at_ms, kind, subject, text)
        links.append(Link(seq, at_ms, kind, subject, text, before))
    return links


@given(st.data())
def test_any_byte_that_changes_in_an_export_is_found(data: st.DataObject) -> None:
    """Wherever it stands."""
    whole = "\n".join(map(to_line, _chain())).encode()
    at_ = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != whole[at_]))
    changed = whole[:at_] + bytes([byte]) + whole[at_ + 1 :]
    try:
        links = [from_line(line) for line in changed.decode(errors="surrogateescape").split("\n")]
    except ValueError:
        return
    assert list(flaws(links))


@given(st.permutations(range(len(ROWS))), st.integers(0, len(ROWS)))
def test_any_rows_that_are_removed_or_changed_places_are_found(order: list[int], kept: int) -> None:
    """Whole rows under other numbers; those at the end by the number that was given last."""
    links = _chain()
    moved = [replace(links[place], seq=seq) for seq, place in enumerate(order, 1)]
    assert bool(list(flaws(moved))) == (moved != links)
    rest = [link for link in links if link.seq - 1 in order[:kept]]
    assert bool(list(flaws(rest, given=len(links)))) == (len(rest) < len(links))


@given(st.sampled_from(range(7)), st.sampled_from(["at_ms", "kind", "subject", "body", "hash"]), st.data())
def test_any_field_that_changes_is_found(row: int, field: str, data: st.DataObject) -> None:
    """By one letter, or by one millisecond."""
    links = _chain()
    value = getattr(links[row], field)
    if isinstance(value, int):
        value += data.draw(st.sampled_from([-1, 1]))
    else:
        place = data.draw(st.integers(0, len(value) - 1))
        letter = data.draw(st.characters(codec="utf-8").filter(lambda one: one != value[place]))
        value = value[:place] + letter + value[place + 1 :]
    links[row] = replace(links[row], **{field: value})
    assert [flaw for flaw in flaws(links) if flaw.startswith(f"audit row {row + 1} (")]


def test_an_export_is_read_again_as_it_was() -> None:
    """Letter for letter."""
    assert [from_line(to_line(link)) for link in _chain()] == _chain()


def _write(database: Database, sql: str) -> None:
    with database.begin() as tx:
        tx._connection.exec_driver_sql(sql)


def _flaws(database: Database) -> list[str]:
    with database.read() as tx:
        return list(tx.audit.verify())
