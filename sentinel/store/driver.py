"""The driver's own connection, for what must stand outside of SQLAlchemy's transactions or is done a thousand times."""

from __future__ import annotations

import sqlite3

from sqlalchemy import Connection


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's connection behind one of SQLAlchemy's."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
