"""probe/sql-writes: the query of a SQL probe should only read.

Why
    It runs in a transaction that may only read, so that it fails on every look; and where the server does not keep
    that, it would change data every few seconds.

Bad
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "delete from carts where age > 30 returning count(*) as gone"}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}

Good
    probes:
      sales: {sql: {url: "sqlite:///shop.db", query: "select count(*) as old_carts from carts where age > 30"}}
    rules:
      any: {probe: {name: "*", fails: 3}, severity: error}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw

SEVERITY = Severity.WARNING

_TEXTS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_WRITES = re.compile(
    r"\b(?:insert\s+into|update\s+[\w.]+\s+set|delete\s+from|merge\s+into|replace\s+into|truncate\b|drop\s+\w+|"
    r"alter\s+\w+|create\s+\w+|grant\s|revoke\s|vacuum\b|lock\s+tables?|for\s+update\b|for\s+share\b|into\s+outfile)",
    re.IGNORECASE,
)


def check(context: Context) -> Iterator[Flaw]:
    """Flag words of a query, outside of its texts and comments, that change something."""
    for name, probe in context.probes.items():
        if probe.kind_name != "sql":
            continue
        if found := _WRITES.search(bare(getattr(probe.kind, "query", ""))):
            says = f"the query writes: {' '.join(found[0].split()).lower()}"
            yield Flaw(context.at("probes", name, "sql", "query"), says, "ask with select")


def bare(query: str) -> str:
    """Return a query without its texts and comments."""
    return _TEXTS.sub(" ", query)
