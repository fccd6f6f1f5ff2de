"""The kind `sql` against SQLite, PostgreSQL and MariaDB."""

from __future__ import annotations

import asyncio
import socket
import sqlite3
import tracemalloc
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from sentinel.core.errors import ProbeFailed
from sentinel.probes.dialects import TEXT_LIMIT
from sentinel.probes.rows import Table, samples_of
from sentinel.probes.run import run
from sentinel.probes.sql import Sql
from tests.probes.looking import NOW, look, probe_of, value

POSTGRES = "postgresql://postgres@127.0.0.1:5432/postgres"


MARIADB = "mariadb://root@127.0.0.1:3306/information_schema"


def _reachable(port: int) -> bool:
    with socket.socket() as tried:
        tried.settimeout(1)
        return tried.connect_ex(("127.0.0.1", port)) == 0


postgres = pytest.mark.skipif(not _reachable(5432), reason="no PostgreSQL listens on 127.0.0.1:5432")
mariadb = pytest.mark.skipif(not _reachable(3306), reason="no MariaDB listens on 127.0.0.1:3306")


@pytest.fixture
def shop(tmp_path: Path) -> str:
    """Make a database of three purchases."""
    path = tmp_path / "a shop?.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE purchases (id INTEGER PRIMARY KEY, status TEXT, amount REAL)")
        rows = [("paid", 2.5), ("paid", 4), ("failed", None)]
        connection.executemany("INSERT INTO purchases (status, amount) VALUES (?, ?)", rows)
        connection.commit()
    return f"sqlite:///{str(path).replace('?', '%3F')}"


async def test_text_is_a_label_and_a_number_a_metric(shop: str) -> None:
    """One sample for each number of each row, and a column in `_total` counts."""
    query = "select status, count(*) as purchases_total from purchases where status like '%d' group by status;"
    ended = await look(Sql(url=shop, query=query))
    assert ended.success, ended.words
    assert value(ended, "purchases_total", status="paid", probe="shop") == 2
    assert value(ended, "purchases_total", status="failed") == 1
    assert value(ended, "probe_sql_rows") == 2
    assert ended.batch.counters_from_zero
    assert all(sample.counter for sample in ended.batch.samples if sample.name == "purchases_total")


async def test_a_row_without_a_number_is_shown(shop: str) -> None:
    """So that a rule can ask whether there is any row."""
    ended = await look(Sql(url=shop, query="select distinct status, id from purchases", labels=("id",)))
    assert value(ended, "probe_sql_row", status="failed", id="3") == 1


async def test_no_rows_are_well(shop: str) -> None:
    """Nothing found is a finding."""
    ended = await look(Sql(url=shop, query="select status, amount from purchases where amount > 100"))
    assert ended.success
    assert value(ended, "probe_sql_rows") == 0


async def test_the_connection_is_kept_and_sees_what_is_new(shop: str, tmp_path: Path) -> None:
    """No transaction stays open between two looks; the second spares itself the connecting."""
    kind = Sql(url=shop, query="select count(*) as purchases from purchases")
    async with kind.ready() as measure:
        before = await run(probe_of(kind), measure, NOW)
        with closing(sqlite3.connect(tmp_path / "a shop?.db")) as connection:
            connection.execute("INSERT INTO purchases (status) VALUES ('paid')")
            connection.commit()
        after = await run(probe_of(kind), measure, NOW)
    assert (value(before, "purchases"), value(after, "purchases")) == (3, 4)
    connecting = [value(ended, "probe_sql_duration_seconds", phase="connect") for ended in (before, after)]
    assert connecting[0] > connecting[1] == 0
    assert value(after, "probe_sql_duration_seconds", phase="query") > 0


ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 from n) select {} as x from n"


@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        (
            "select status, sum(amount) as takings from purchases group by 1",
            "expect",
            "takings is NULL in row 1; write",
        ),
        ("select amount from purchases where amount > 0", "expect", "rows 1 and 2 have the same labels (no labels)"),
        ("select status, 1 as one from purchases", "expect", "rows 1 and 2 have the same labels (status=paid)"),
        ("select count(*) from purchases", "expect", 'column "count(*)" needs a name'),
        ("select 1 as __name__", "expect", 'column "__name__" needs a name'),
        ("select 1 as a, 2 as a", "expect", "two columns are called a"),
        ("select nowhere from purchases", "error", "no such column: nowhere"),
        ("selec 1", "error", 'near "selec": syntax error'),
        ("insert into purchases (status) values ('paid')", "error", "readonly database"),
        ("drop table purchases", "error", "readonly database"),
        (ENDLESS.format("x"), "expect", "more than 1,000 rows"),
        (ENDLESS.format("hex(randomblob(500000))"), "expect", "the rows hold more than 4,096 KiB of text"),
        ("select hex(zeroblob(3000000)) as x", "error", "too big"),
        (ENDLESS.format("max(x)"), "timeout", "no result within 500ms: waiting for the rows of"),
    ],
)
async def test_a_bad_query_fails_with_reason_and_words(shop: str, query: str, reason: str, words: str) -> None:
    """Whatever is asked, the look ends in time, nothing is changed, and the words name the database."""
    ended = await look(Sql(url=shop, query=query), timeout=0.5 if reason == "timeout" else 20)
    assert (ended.reason, ended.success) == (reason, False)
    assert words in ended.words
    assert "/a shop?.db" in ended.words
    assert value(await look(Sql(url=shop, query="select count(*) as n from purchases")), "n") == 3


async def test_rows_take_bounded_memory(shop: str) -> None:
    """Of a thousand wide rows few are read before it is seen that they are wide."""
    kind = Sql(url=shop, query=ENDLESS.format("hex(randomblob(100000))") + " limit 1000")
    tracemalloc.start()
    try:
        ended = await look(kind, timeout=20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (ended.reason, ended.words[:40]) == ("expect", "the rows hold more than 4,096 KiB of tex")
    assert peak < 10 * TEXT_LIMIT


async def test_after_a_timeout_the_next_look_can_ask(shop: str) -> None:
    """The query that took too long was interrupted, not left behind."""
    kind = Sql(url=shop, query=ENDLESS.format("max(x)"))
    async with kind.ready() as measure:
        for _ in range(2):
            ended = await run(probe_of(kind, timeout=0.3), measure, NOW)
            assert ended.words.startswith("no result within 300ms: waiting for the rows")


async def test_a_locked_database_is_a_matter_of_time(shop: str, tmp_path: Path) -> None:
    """It is waited for within the timeout, and then said."""
    with closing(sqlite3.connect(tmp_path / "a shop?.db")) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        ended = await look(Sql(url=shop, query="select 1 as one from purchases limit 1"), timeout=4)
    assert ended.reason == "timeout"
    assert "database is locked" in ended.words


async def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    """A look changes nothing."""
    ended = await look(Sql(url=f"sqlite:///{tmp_path}/none.db", query="select 1 as one"))
    assert (ended.reason, ended.words) == ("connect", f"{tmp_path}/none.db: no such file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "reason", "words"),
    [
        ("postgres://ann:s3cret%2F@127.0.0.1:1/shop", "connect", "connection refused by 127.0.0.1:1 after "),
        ("nosuch://ann:s3cret%2F@127.0.0.1:1/shop", "error", "no driver for nosuch"),
        ("postgresql://ann:s3cret%2F@127.0.0.1:port/shop", "error", "URL cannot be read"),
    ],
)
async def test_who_cannot_be_reached_is_named_without_the_password(url: str, reason: str, words: str) -> None:
    """Nothing secret is in a message."""
    ended = await look(Sql(url=url, query="select 1 as one"))
    assert ended.reason == reason
    assert words in ended.words
    assert "s3cret" not in ended.words


@postgres
async def test_postgresql_numbers_times_and_booleans() -> None:
    """Every type that counts or measures is a number."""
    query = (
        "select 'eu' as region, 5::numeric as orders_total, true as healthy, interval '90 s' as age, "
        "timestamptz '2026-03-01 12:00Z' as seen, 7 % 4 as rest"
    )
    ended = await look(Sql(url=POSTGRES, query=query))
    assert ended.success, ended.words
    names = ("orders_total", "healthy", "age", "seen", "rest")
    assert [value(ended, name, region="eu") for name in names] == [5, 1, 90, NOW.timestamp(), 3]


@postgres
@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        ("with gone as (delete from pg_class returning 1) select 1 as one from gone", "error", ""),
        ("select setval('x', 1) as one", "error", "does not exist"),
        ("select generate_series(1, 10000000) as x", "expect", "more than 1,000 rows"),
        (
            "select x, repeat('x', 1000000) as y from generate_series(1, 10000) x",
            "expect",
            "more than 4,096 KiB of text",
        ),
        ("select pg_sleep(10), 1 as one", "timeout", "no result within 500ms: waiting for the rows of 127.0.0.1:5432"),
        ("select nothing from pg_class", "error", 'column "nothing" does not exist'),
    ],
)
async def test_postgresql_is_read_only_and_bounded(query: str, reason: str, words: str) -> None:
    """A query that writes, takes too long or returns a table fails, and only itself."""
    kind = Sql(url=POSTGRES, query=query)
    async with kind.ready() as measure:
        for _ in range(2):
            ended = await run(probe_of(kind, timeout=0.5 if reason == "timeout" else 20), measure, NOW)
            assert (ended.reason, ended.success) == (reason, False)
            assert words in ended.words


@postgres
async def test_a_role_that_is_unknown_is_a_matter_of_who_asks() -> None:
    """The reason is auth, and the password stays ours."""
    ended = await look(Sql(url="postgresql://nobody:s3cret@127.0.0.1:5432/postgres", query="select 1 as one"))
    assert ended.reason == "auth"
    assert "s3cret" not in ended.words


@postgres
async def test_a_cancelled_query_ends_in_the_database() -> None:
    """Nothing of ours runs on when the look is over."""
    mark = "select pg_sleep(30), 4711 as cancelled_by_a_test"
    await look(Sql(url=POSTGRES, query=mark), timeout=0.3)
    running = (
        "select count(*) as n from pg_stat_activity where query like '%4711 as cancelled_by%' "
        "and state = 'active' and pid <> pg_backend_pid()"
    )
    for _ in range(50):
        if value(await look(Sql(url=POSTGRES, query=running)), "n") == 0:
            return
        await asyncio.sleep(0.02)
    pytest.fail("the query still runs")


@mariadb
async def test_mariadb_numbers_times_and_booleans() -> None:
    """Every type that counts or measures is a number, and a % is a %."""
    query = (
        "select 'eu' as region, cast(5 as decimal) as orders_total, true as healthy, "
        "timediff('12:00:00', '11:58:30') as age, timestamp '2026-03-01 12:00:00' as seen, 7 % 4 as rest"
    )
    ended = await look(Sql(url=MARIADB, query=query))
    assert ended.success, ended.words
    names = ("orders_total", "healthy", "age", "seen", "rest")
    assert [value(ended, name, region="eu") for name in names] == [5, 1, 90, NOW.timestamp(), 3]


@mariadb
@pytest.mark.parametrize(
    ("query", "reason", "words"),
    [
        ("create table test.sentinel_must_not (a int)", "error", "READ ONLY transaction"),
        ("delete from mysql.help_topic where false", "error", "READ ONLY transaction"),
        ("select seq as x from test.seq_1_to_10000000", "expect", "more than 1,000 rows"),
        ("select sleep(10) as one", "timeout", "no result within 300ms: waiting for the rows of 127.0.0.1:3306"),
        ("select nothing from tables", "error", "Unknown column 'nothing'"),
    ],
)
async def test_mariadb_is_read_only_and_bounded(query: str, reason: str, words: str) -> None:
    """A query that writes, takes too long or returns a table fails, and only itself."""
    kind = Sql(url=MARIADB, query=query)
    async with kind.ready() as measure:
        for _ in range(2):
            ended = await run(probe_of(kind, timeout=0.3 if reason == "timeout" else 20), measure, NOW)
            assert (ended.reason, ended.success) == (reason, False)
            assert words in ended.words


@mariadb
async def test_mariadb_tells_who_may_not_and_what_is_not_there() -> None:
    """In its own words, without the password."""
    ended = await look(Sql(url="mysql://nobody:s3cret@127.0.0.1:3306/test", query="select 1 as one"))
    assert (ended.reason, "s3cret" in ended.words) == ("auth", False)
    ended = await look(Sql(url="mysql://nobody:s3cret@127.0.0.1:1/test", query="select 1 as one"))
    assert (ended.reason, ended.words[:35]) == ("connect", "connection refused by 127.0.0.1:1 a")


def rows(columns: Sequence[str], *found: Sequence[Any], labels: frozenset[str] = frozenset()) -> list[Any]:
    return [
        (sample.name, sample.value, dict(sample.labels)) for sample in samples_of(Table(tuple(columns), found), labels)
    ]


def test_rows_become_samples() -> None:
    """Numbers are metrics whatever their type; text, and what is asked to be, are labels."""
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    assert rows(["a", "b"], [Decimal("1.5"), True]) == [("a", 1.5, {}), ("b", 1, {})]
    assert rows(["t", "d", "i"], [moment.replace(tzinfo=None), date(2026, 3, 1), timedelta(minutes=1)]) == [
        ("t", moment.timestamp(), {}),
        ("d", moment.timestamp(), {}),
        ("i", 60, {}),
    ]
    assert rows(["id", "n"], [7.0, 1], [None, 2], labels=frozenset({"id"})) == [("n", 1, {"id": "7"}), ("n", 2, {})]
    assert rows(["region", "n"], [None, 1], ["eu", 2]) == [("n", 1, {}), ("n", 2, {"region": "eu"})]
    assert rows(["n"], [10**400]) == [("n", float("inf"), {})]


def test_a_label_that_is_no_column_is_told() -> None:
    """With what there is."""
    with pytest.raises(ProbeFailed, match="no column account; there are id, n"):
        rows(["id", "n"], [1, 2], labels=frozenset({"account"}))


@pytest.mark.parametrize(
    "given", [{"url": "shop.db", "query": "select 1"}, {"url": "sqlite:///x", "query": " ; "}, {"url": "sqlite:///x"}]
)
def test_a_bad_definition_is_refused(given: dict[str, Any]) -> None:
    """What cannot work is said when the file is checked."""
    with pytest.raises(ValidationError):
        Sql.model_validate(given)
