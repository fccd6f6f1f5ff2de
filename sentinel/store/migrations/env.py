"""Alembic's environment: migrate the connection that `schema.migrate` hands over, inside its transaction."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from sentinel.store import tables

assert tables.ROWS  # the tables of SQLModel.metadata are those of `tables.py`

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite alters a table by making it anew
    transactional_ddl=False,  # the caller's transaction holds all of it
)
context.run_migrations()
