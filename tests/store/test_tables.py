"""Rows are the values of `core`, column by column."""

from __future__ import annotations

import math
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import SQLModel

from sentinel.core.alert import Alert, Origin, Phase, Standing
from sentinel.core.heartbeat import Heartbeat
from sentinel.core.labels import Labels
from sentinel.core.notification import Attempt, Group, Notification, Reason, Settlement, Told
from sentinel.core.operator import Acknowledgement, Silence
from sentinel.core.revision import Revision
from sentinel.core.severity import Severity
from sentinel.store import tables
from sentinel.store.alerts import Alerts
from sentinel.store.database import Database
from sentinel.store.memory import Heartbeats
from sentinel.store.outbox import Groups, Notifications, ToldShelf
from sentinel.store.people import Acknowledgements, Silences
from sentinel.store.revisions import Revisions
from sentinel.store.shelf import Shelf, table_of
from tests.dice import rolls

ADDED = {"alert": {"fingerprint"}}
SHELVES: list[type[Shelf[Any]]] = [
    Alerts,
    Groups,
    Notifications,
    ToldShelf,
    Silences,
    Acknowledgements,
    Heartbeats,
    Revisions,
]

texts = st.text(max_size=8).filter(lambda text: text.isprintable())
instants = st.integers(0, 4_000_000_000_000).map(lambda ms: datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=ms))
spans = st.integers(0, 10**12).map(lambda ms: timedelta(milliseconds=ms))
mappings = st.dictionaries(texts, texts, max_size=3)
#: SQLite keeps a whole float as an integer, which knows one zero only.
numbers = st.floats().map(lambda number: number + 0.0)
st.register_type_strategy(datetime, instants)
st.register_type_strategy(timedelta, spans)
st.register_type_strategy(str, texts)
st.register_type_strategy(Labels, mappings.map(Labels.of))
standings = st.dictionaries(
    st.sampled_from(Severity),
    st.builds(Standing, phase=st.sampled_from(Phase), unknown_since=st.none() | instants, scarce=st.booleans()),
)
maybe = st.none() | instants
VALUES: dict[type[Any], st.SearchStrategy[Any]] = {
    Alert: st.builds(
        Alert,
        standings=standings,
        value=st.none() | numbers,
        since=maybe,
        fired_at=maybe,
        changed_at=maybe,
        no_data_at=maybe,
        texts=mappings,
        rule_labels=mappings,
        origin=st.builds(Origin, line=st.integers(0, 9999)),
        peak=st.none() | st.sampled_from(Severity),
    ),
    Group: st.builds(Group, alerts=st.lists(texts).map(tuple), told_at=maybe, repeat_at=maybe, opened_at=maybe),
    Notification: st.builds(
        Notification,
        reason=st.sampled_from(Reason),
        severity=st.sampled_from(Severity),
        settlement=st.sampled_from(Settlement),
        alerts=st.lists(texts).map(tuple),
        attempts=st.lists(st.builds(Attempt, took_seconds=st.floats(0, 60))).map(tuple),
        next_at=maybe,
        leased_until=maybe,
    ),
    Told: st.builds(Told, severity=st.none() | st.sampled_from(Severity), receipt=mappings),
    Silence: st.builds(Silence, match=st.dictionaries(texts, texts | st.lists(texts).map(tuple), max_size=3)),
    Acknowledgement: st.builds(Acknowledgement, severity=st.sampled_from(Severity)),
    Heartbeat: st.builds(
        Heartbeat,
        last_success_at=maybe,
        last_run_at=maybe,
        last_duration=st.none() | spans,
        started_at=st.dictionaries(texts, instants, max_size=3),
        expected_by=maybe,
        metrics=st.dictionaries(texts, numbers.filter(lambda number: number == number), max_size=3),
        successes=st.integers(0, 2**40),
        failures=st.integers(0, 2**40),
        failures_in_a_row=st.integers(0, 2**40),
    ),
    Revision: st.builds(Revision, files=mappings, dirty=st.booleans()),
}


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.__name__)
def test_a_table_has_one_column_per_field_of_its_value(shelf: type[Shelf[Any]]) -> None:
    """The same word in code and database; what a row adds is its key."""
    columns = [column.name for column in shelf.table.columns]
    assert set(columns) - ADDED.get(shelf.table.name, set()) == {
        field.name for field in fields(shelf.VALUE) if field.init
    }


def test_every_table_is_listed_and_none_is_made_elsewhere() -> None:
    """`ROWS` is what a fresh database gets, and what the migrations are compared with."""
    assert {table_of(row).name for row in tables.ROWS} == set(SQLModel.metadata.tables)


@pytest.mark.parametrize("shelf", SHELVES, ids=lambda shelf: shelf.__name__)
def test_what_is_put_comes_back_the_same(shelf: type[Shelf[Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any value survives the database, to the millisecond."""
    database = Database.open(f"sqlite:///{tmp_path_factory.mktemp('tables')}/a.db")

    @rolls(20)
    @given(value=VALUES[shelf.VALUE])
    def comes_back(value: Any) -> None:
        with database.begin() as tx:
            shelf(tx._connection).put(value)
            found = shelf(tx._connection).all()
            assert [repr(one) for one in found] == [repr(value)]
            tx._connection.exec_driver_sql(f'DELETE FROM "{shelf.table.name}"')

    comes_back()
    database.close()


def test_a_value_put_again_takes_the_place_of_the_first(database: Database) -> None:
    """An alert has one row however often it changes, and NaN is a number that is kept."""
    alert = Alert("r", Labels.of(a="b"), {}, value=1.0)
    with database.begin() as tx:
        tx.alerts.put(alert)
        tx.alerts.put(Alert("r", Labels.of(a="b"), {}, value=math.nan), Alert("r", Labels.of(a="c"), {}))
    with database.read() as tx:
        assert sorted(str(one.value) for one in tx.alerts.all()) == ["None", "nan"]
    with database.begin() as tx:
        assert tx.alerts.remove(alert.fingerprint)
        assert not tx.alerts.remove(alert.fingerprint)


def test_what_probes_and_configurations_were_is_kept(url: str, tmp_path: Path) -> None:
    """Memory is replaced whole; the last good revision is the one loaded last."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    database = Database.open(url)
    with database.begin() as tx:
        tx.memory.put("log", {"offset": 1})
        tx.memory.put("log", {"offset": 7, "inode": [1, 2]})
        assert tx.revisions.last_good() is None
        tx.revisions.put(Revision("b", {"rules/a.yaml": "x"}, now), Revision("a", {}, now + timedelta(seconds=1)))
    database.close()
    database = Database.open(url)
    with database.read() as tx:
        assert tx.memory.all() == {"log": {"offset": 7, "inode": [1, 2]}}
        last = tx.revisions.last_good()
        assert last is not None
        assert last.id == "a"
    database.close()
