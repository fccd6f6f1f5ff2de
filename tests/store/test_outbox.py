"""The outbox: what is open, what is due, and who wins a race."""

from __future__ import annotations

from dataclasses import replace

from sentinel.core.notification import Notification, Reason, Settlement, Told
from sentinel.core.severity import Severity
from sentinel.store.database import Database
from sentinel.store.driver import driver_of
from tests.store.kit import START, at


def _debt(id_: str, due: float = 0, notifier: str = "slack") -> Notification:
    return Notification(id_, notifier, "g", Reason.FIRING, ("f",), Severity.ERROR, START, at(due), next_at=at(due))


def test_due_is_what_waited_long_enough(database: Database) -> None:
    """What is leased is being sent, whether its lease ran out or not; what is settled is owed no more."""
    debts = [
        _debt("a"),
        _debt("b", due=60),
        replace(_debt("c"), next_at=at(60), tries=1),
        replace(_debt("d"), settlement=Settlement.SENDING, leased_until=at(10)),
        replace(_debt("e"), settlement=Settlement.SENDING, leased_until=at(90)),
        replace(_debt("f"), settlement=Settlement.DEAD),
        _debt("g", notifier="email"),
    ]
    with database.begin() as tx:
        tx.notifications.put(*debts)
        assert [one.id for one in tx.notifications.due("slack", at(30))] == ["a"]
        assert [one.id for one in tx.notifications.due("slack", at(60))] == ["a", "b", "c"]
        assert tx.notifications.sending("slack") == ["d", "e"]
        assert [one.id for one in tx.notifications.open()] == ["a", "b", "c", "d", "e", "g"]
        assert [one.id for one in tx.notifications.newest(2)] == ["g", "f"]
        assert [one.id for one in tx.notifications.newest(2, Settlement.DEAD)] == ["f"]
        assert sum(tx.notifications.counts(Settlement.WAITING).values()) == 4
        assert tx.notifications.get("a") == debts[0]
        assert tx.notifications.get("z") is None


def test_of_two_who_saw_the_same_row_one_wins(database: Database) -> None:
    """Compare-and-set: a lost race is no error, and changes nothing."""
    was = _debt("a")
    first = replace(was, settlement=Settlement.SENDING, leased_until=at(30), tries=1, content="{}")
    second = replace(was, settlement=Settlement.WITHDRAWN)
    with database.begin() as tx:
        tx.notifications.put(was)
        assert tx.notifications.swap((was, first)) == 1
        assert tx.notifications.swap((was, second)) == 0
        assert tx.notifications.get("a") == first


def test_who_heard_is_remembered_until_the_alert_is_forgotten(database: Database) -> None:
    """One row a notifier and alert: what it heard last."""
    told = Told("slack", "f", "g", Severity.ERROR, START, {"ts": "1"})
    with database.begin() as tx:
        tx.told.put(told, replace(told, notifier="email"), replace(told, fingerprint="x", at=at(1)))
        tx.told.put(replace(told, severity=None))
        heard = tx.told.get("slack", "f")
        assert heard is not None
        assert heard.severity is None
        assert tx.told.remove("slack", "x")
        assert tx.told.forget("f")
        assert tx.told.all() == []


def test_what_is_sent_next_is_found_as_quickly_however_much_waits(database: Database) -> None:
    """SQLite takes no more steps among thousands of debts than among a hundred; it chose an index where it did."""
    few = _steps(database, 100)
    assert _steps(database, 4000) < 1.5 * few


def _steps(database: Database, debts: int) -> int:
    """Return how many tens of SQLite's instructions it takes to look up what is sent next."""
    with database.begin() as tx:
        names = [f"{n:05}" for n in range(debts)]
        tx.notifications.put(*(replace(_debt(name), group=name, alerts=(name,)) for name in names))
        counted: list[None] = []
        driver = driver_of(tx._connection)
        driver.set_progress_handler(lambda: counted.append(None), 10)
        found = (tx.notifications.due("slack", at(1), 10), tx.notifications.tried("slack"))
        driver.set_progress_handler(None, 0)
    assert [len(part) for part in found] == [10, 0]
    return len(counted)
