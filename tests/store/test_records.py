"""What was told goes when nobody asks for it any more; nothing goes before."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sentinel.core.alert import Alert
from sentinel.core.labels import Labels
from sentinel.core.notification import Attempt, Notification, Reason, Settlement, Told
from sentinel.core.revision import Revision
from sentinel.core.severity import Severity
from sentinel.store import records
from sentinel.store.database import Database
from sentinel.store.records import Records
from tests.store.kit import START

DAY = timedelta(days=1)
GOES_ON = Alert("queue", Labels(), {})
OLD = Notification(
    "old", "slack", "g", Reason.FIRING, ("over",), Severity.ERROR, START, START, Settlement.DELIVERED, key="k"
)


def expire(database: Database, *rows: Notification, after: timedelta, retention: timedelta = DAY) -> list[str]:
    """Return what is left of these after a while."""
    with database.begin() as tx:
        tx.alerts.put(GOES_ON)
        tx.notifications.put(*rows)
    keeper = Records(database, retention)
    while keeper.step(START + after):
        pass
    with database.read() as tx:
        return [row.id for row in reversed(tx.notifications.newest(100))]


@pytest.mark.parametrize(
    ("row", "kept_days"),
    [
        pytest.param(OLD, 35, id="what was delivered"),
        pytest.param(replace(OLD, settlement=Settlement.WITHDRAWN), 35, id="what was withdrawn"),
        pytest.param(replace(OLD, reason=Reason.UPDATED), 1, id="what only changed a message"),
        pytest.param(replace(OLD, reason=Reason.UPDATED, alerts=(GOES_ON.fingerprint,)), 1, id="a renewal"),
        pytest.param(replace(OLD, reason=Reason.REMINDER, alerts=(GOES_ON.fingerprint,)), 35, id="a reminder"),
        pytest.param(replace(OLD, attempts=(Attempt(START + 5 * DAY),)), 40, id="what was sent late"),
        pytest.param(replace(OLD, alerts=("over", GOES_ON.fingerprint)), None, id="what first told of what goes on"),
        pytest.param(replace(OLD, settlement=Settlement.DEAD), None, id="a dead letter"),
        pytest.param(replace(OLD, settlement=Settlement.WAITING), None, id="what is owed"),
        pytest.param(replace(OLD, settlement=Settlement.SENDING), None, id="what is being sent"),
    ],
)
def test_what_is_settled_is_kept_for_as_long_as_somebody_may_ask(
    database: Database, row: Notification, kept_days: int | None
) -> None:
    """A row is there for so many days, and not a moment more; some for ever."""
    assert expire(database, row, after=(kept_days or 4000) * DAY) == ["old"]
    if kept_days is not None:
        assert expire(database, row, after=kept_days * DAY + timedelta(seconds=1)) == []


def test_what_was_told_is_kept_as_long_as_samples(database: Database) -> None:
    """Who keeps samples for a year sees for a year who was told what."""
    assert expire(database, OLD, after=300 * DAY, retention=365 * DAY) == ["old"]
    assert expire(database, OLD, after=366 * DAY, retention=365 * DAY) == []


def test_a_step_is_small_and_passes_over_what_stays(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stays at the front keeps nothing behind it from going; after the last step an hour passes."""
    monkeypatch.setattr(records, "_STEP", 2)
    rows = [replace(OLD, id=f"{number}", settlement=Settlement.DEAD) for number in range(3)]
    rows += [replace(OLD, id=f"{number}") for number in range(3, 6)]
    with database.begin() as tx:
        tx.notifications.put(*rows)
    keeper, now = Records(database, DAY), START + 36 * DAY
    assert [keeper.step(now) for _ in range(5)] == [True, True, True, False, False]
    with database.begin() as tx:
        assert [row.id for row in tx.notifications.newest(9)] == ["2", "1", "0"]
        tx.notifications.put(OLD)
    assert not keeper.step(now + timedelta(minutes=59))
    assert keeper.step(now + timedelta(hours=1))


def test_who_heard_is_forgotten_with_what_is_over(database: Database) -> None:
    """Of an alert that goes on it is known for ever."""
    heard = [Told("slack", one, "g", Severity.ERROR, START) for one in ("over", GOES_ON.fingerprint)]
    with database.begin() as tx:
        tx.told.put(*heard)
    expire(database, after=35 * DAY)
    with database.read() as tx:
        assert len(tx.told.all()) == 2
    expire(database, after=36 * DAY)
    with database.read() as tx:
        assert [told.fingerprint for told in tx.told.all()] == [GOES_ON.fingerprint]


def test_the_last_configurations_are_kept(database: Database) -> None:
    """The one in use is the newest of them."""
    found = [Revision(f"{number:03d}", {"a.yaml": ""}, START + number * timedelta(hours=1)) for number in range(60)]
    with database.begin() as tx:
        tx.revisions.put(*found)
    expire(database, after=DAY)
    with database.read() as tx:
        assert [one.id for one in tx.revisions.newest(100)] == [one.id for one in reversed(found[10:])]
        assert tx.revisions.last_good() == found[-1]
