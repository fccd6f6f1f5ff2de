"""probe/unknown-database: the URL of a SQL probe should begin with a database that is known.

Why
    What it begins with chooses the driver; where there is none, each look fails.

Bad
    probes:
      stock: {sql: {url: "postgress://db/shop", query: "select count(*) as items from stock"}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}

Good
    probes:
      stock: {sql: {url: "postgresql://db/shop", query: "select count(*) as items from stock"}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.problem import near
from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

#: Those for which we bring a driver, or name the extra that does.
_OURS = frozenset({"sqlite", "postgresql", "postgres", "mysql", "mariadb"})
#: Others that SQLAlchemy has, or that a package brings.
_WORDS = """
    mssql oracle access athena awsathena bigquery clickhouse clickhousedb cockroachdb crate databricks db2 ibm_db_sa
    doris dremio drill druid duckdb elasticsearch exa firebird firebolt gsheets hana hive ignite impala informix
    kinetica monetdb netezza opengauss phoenix pinot presto redshift rockset sap snowflake solr spanner sqlalchemy
    starrocks sybase taos tdengine teradatasql tibero trino vertica yugabytedb questdb risingwave libsql
"""
_KNOWN = _OURS | frozenset(_WORDS.split())


def check(context: Context) -> Iterator[Flaw]:
    """Flag a scheme that no driver of SQLAlchemy is known to have."""
    for name, probe in context.probes.items():
        if probe.kind_name != "sql":
            continue
        scheme = str(getattr(probe.kind, "url", "")).partition(":")[0].partition("+")[0].lower()
        if scheme not in _KNOWN:
            at = context.at("probes", name, "sql", "url")
            fix = near(scheme, set(_OURS)) or "write postgresql://, mysql://, mariadb:// or sqlite:///"
            yield Flaw(at, f'no database is known as "{scheme}"', fix)
