"""Verify: what is wrong with a database is said in sentences, and a whole one is called whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from sentinel.store.database import Database
from sentinel.store.upkeep import Upkeep
from sentinel.store.verify import problems
from tests.e2e.fast import FastAgent

TREE = """
probes: {shop: {scrape: "http://127.0.0.1:1/metrics", every: 1m}}
rules: {queue: {last: queue_depth, above: {warning: 10, critical: 50}}}
notifiers: {people: {console: {}}}
routes: {everything: {notify: [people], group_wait: 0s}}
"""
MINUTE = timedelta(minutes=1)


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[FastAgent]:
    """Return a house whose alert fires and was told."""
    found = FastAgent(tmp_path)
    found.write(TREE)
    found.looks["shop"] = lambda _: {"queue_depth": 60.0}
    found.start().run(5 * MINUTE)
    Upkeep(found.database, found.history, timedelta(days=35)).flush()
    found.run(2 * MINUTE)
    yield found
    found.database.close()


def spoil(agent: FastAgent, sql: str) -> list[str]:
    """Change the file behind everybody's back, and look at it."""
    path = agent.folder / "sentinel.db"
    agent.database.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(sql)
    agent.database = Database.open(f"sqlite:///{path}", read_only=True)
    return list(problems(agent.database))


def test_a_house_at_work_is_whole_at_each_moment(agent: FastAgent) -> None:
    """While it fires, falls, resolves and begins anew: nothing refers to what is not there."""
    seen: list[str] = []
    for depth in (60.0, 20.0, 0.0, 60.0, 0.0):
        agent.looks["shop"] = lambda _, depth=depth: {"queue_depth": depth}  # type: ignore[misc]
        for _ in range(4):
            agent.run(timedelta(seconds=40))
            seen += problems(agent.database)
    assert seen == []
    assert agent.changes("queue").count("fired critical") == 2


@pytest.mark.parametrize(
    ("sql", "says"),
    [
        pytest.param(
            "UPDATE chunk SET body = CAST(substr(body, 1, length(body) - 1) || x'ff' AS BLOB)",
            "cannot be read: its checksum is",
            id="a flipped bit in a chunk",
        ),
        pytest.param(
            "UPDATE journal SET checksum = 1 WHERE id = (SELECT max(id) FROM journal)",
            "cannot be read: its checksum is",
            id="a torn journal entry",
        ),
        pytest.param(
            "UPDATE chunk SET damaged = 'it smells'",
            "was set aside: it smells",
            id="set aside",
        ),
        pytest.param("DELETE FROM audit WHERE seq = 2", "audit row 2 was removed", id="a removed audit row"),
        pytest.param("DELETE FROM alert", "refers to alert", id="an alert that somebody deleted"),
        pytest.param('DELETE FROM "group"', "refers to group", id="a group that somebody deleted"),
    ],
)
def test_what_is_wrong_is_said(agent: FastAgent, sql: str, says: str) -> None:
    """One sentence each, and the rest is looked at all the same."""
    found = spoil(agent, sql)
    assert any(says in one for one in found), found
    assert not any("SQLite" in one for one in found)


def test_a_file_whose_pages_are_damaged_is_said_to_be(agent: FastAgent) -> None:
    """By SQLite itself; what else is in it, nobody asks."""
    path = agent.folder / "sentinel.db"
    agent.database.close()
    with path.open("r+b") as file:
        file.seek(4096 * 6)
        file.write(b"\xff" * 4096 * 4)
    agent.database = Database.open(f"sqlite:///{path}", read_only=True)
    found = list(problems(agent.database))
    assert found
    assert all("SQLite" in one or "is damaged" in one for one in found)
