"""The schema's version: made, migrated, refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.pool import NullPool

from sentinel.core.errors import StoreUnavailable
from sentinel.store import schema, tables
from sentinel.store.database import Database
from sentinel.store.shelf import table_of


def _anatomy(connection: Connection) -> dict[str, object]:
    look = inspect(connection)
    affinities = {"VARCHAR": "TEXT", "INTEGER": "BIGINT"}
    return {
        name: (
            [
                (column["name"], affinities.get(str(column["type"]), str(column["type"])), column["nullable"])
                for column in look.get_columns(name)
            ],
            look.get_pk_constraint(name)["constrained_columns"],
            sorted((one["name"] or "", tuple(one["column_names"])) for one in look.get_indexes(name)),
            sorted(tuple(one["column_names"]) for one in look.get_unique_constraints(name)),
        )
        for name in sorted(look.get_table_names())
    }


def test_a_fresh_database_is_what_the_migrations_make() -> None:
    """A fresh file skips Alembic, and differs in nothing from one that came the long way."""
    engine = create_engine("sqlite://", poolclass=NullPool)
    with engine.connect() as fresh, engine.connect() as migrated:
        schema.create(fresh)
        schema.migrate(migrated)
        expected = _anatomy(migrated)
        assert _anatomy(fresh) == expected
        assert {table_of(row).name for row in tables.ROWS} < set(expected)
        for connection in (fresh, migrated):
            version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
            assert version == schema.VERSIONS[-1]
            sql = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE name = 'audit'").scalar()
            assert "AUTOINCREMENT" in str(sql)


def test_the_known_versions_are_those_of_the_migrations() -> None:
    """`VERSIONS` is written down, so that opening a database need not import Alembic."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    revisions = [one.revision for one in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(revisions)) == schema.VERSIONS


def test_a_newer_database_is_refused(url: str, database: Database) -> None:
    """An older program must not write into what it does not know."""
    with database.begin() as tx:
        tx._connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    for read_only in (False, True):
        with pytest.raises(StoreUnavailable, match=r"written by a newer Sentinel \(schema 9999; this one knows"):
            Database.open(url, read_only=read_only)


def test_another_programs_database_is_refused_and_left_alone(url: str, tmp_path: Path) -> None:
    """A typing error in the path does no harm."""
    path = tmp_path / "sentinel.db"
    with create_engine(f"sqlite:///{path}", poolclass=NullPool).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE theirs (a)")
    before = path.read_bytes()
    with pytest.raises(StoreUnavailable, match="is another program's database"):
        Database.open(url)
    assert path.read_bytes() == before


def test_opening_a_database_imports_no_alembic(url: str) -> None:
    """Alembic costs memory; only a migration needs it."""
    code = f"""
import sys
from sentinel.store.database import Database
for _ in range(2):
    Database.open({url!r}).close()
assert not [name for name in sys.modules if name.startswith("alembic")]
"""
    subprocess.run([sys.executable, "-c", code], check=True)
