"""migrations: Alembic's scripts, one file per released schema; run by `schema.py` when a database is older."""
