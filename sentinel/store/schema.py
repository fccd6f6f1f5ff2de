"""The schema's version: a new file gets it whole, an older one is brought up to it, a newer one is refused.

The version is Alembic's (table `alembic_version`), but Alembic is imported only to migrate: a fresh database is made
from the tables and stamped, which a test holds to be the same.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection
from sqlmodel import SQLModel

from sentinel.core.errors import StoreUnavailable
from sentinel.store import tables
from sentinel.store.shelf import table_of

#: Every version that was ever released, oldest first; the last is this one's.
VERSIONS = ("0001",)

#: "SENT": tells our file from every other SQLite database (https://sqlite.org/pragma.html#pragma_application_id).
APPLICATION_ID = 0x53454E54

MIGRATIONS = Path(__file__).parent / "migrations"


def check(connection: Connection, path: Path) -> str:
    """Return the version of the database's schema, "" if it is empty.

    Raises:
        StoreUnavailable: it is another program's database, or of a newer Sentinel.
    """
    if connection.exec_driver_sql("PRAGMA application_id").scalar() != APPLICATION_ID:
        if connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar():
            raise StoreUnavailable(f"{path} is another program's database; name another file")
        return ""
    version = str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar())
    if version not in VERSIONS:
        raise StoreUnavailable(
            f"{path} was written by a newer Sentinel (schema {version}; this one knows {VERSIONS[-1]}); "
            "start that version again, or restore a backup"
        )
    return version


def prepare(connection: Connection, path: Path) -> None:
    """Bring the schema to this version, within the caller's transaction.

    Raises:
        StoreUnavailable: it is another program's database, or of a newer Sentinel.
    """
    version = check(connection, path)
    if not version:
        create(connection)
    elif version != VERSIONS[-1]:
        migrate(connection)


def create(connection: Connection) -> None:
    """Make every table, and stamp the newest version."""
    SQLModel.metadata.create_all(connection, tables=[table_of(row) for row in tables.ROWS])
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (VERSIONS[-1],))
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


def migrate(connection: Connection, to: str = "head") -> None:
    """Run the migrations that the database has not seen."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, to)
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
