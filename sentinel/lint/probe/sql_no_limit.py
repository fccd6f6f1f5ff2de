"""probe/sql-no-limit: a query that returns rows as they are should have a limit.

Why
    A table grows, and one day each look reads all of it, or fails because more rows come than a probe takes.

Bad
    probes:
      stuck: {sql: {url: "sqlite:///shop.db", query: "select id, age as age_seconds from orders"}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}

Good
    probes:
      stuck: {sql: {url: "sqlite:///shop.db", query: "select max(age) as age_seconds from orders"}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.probe.sql_writes import bare

SEVERITY = Severity.WARNING

_BOUNDED = re.compile(
    r"\b(?:count|sum|min|max|avg|total|exists|bool_and|bool_or|every|percentile_cont)\s*\(|\bgroup\s+by\b|\blimit\b|"
    r"\bfetch\s+(?:first|next)\b|\btop\s*\(?\s*\d",
    re.IGNORECASE,
)


def check(context: Context) -> Iterator[Flaw]:
    """Flag a query that neither counts, nor groups, nor says how many rows at most."""
    for name, probe in context.probes.items():
        query = bare(getattr(probe.kind, "query", "")) if probe.kind_name == "sql" else ""
        if re.search(r"\bfrom\b", query, re.IGNORECASE) and not _BOUNDED.search(query):
            yield Flaw(context.at("probes", name, "sql", "query"), "the query has no limit", "add limit 100, or count")
