"""promql/rate-of-recorded: what a rule records of counters should be counted before it is recorded.

Why
    A recorded sum of counters falls a little when one process starts anew, which rate() takes for a restart of all: it
    counts the whole sum again, a spike that never was. And the rate of what is a rate already is an acceleration.

Bad
    - record: job:http_errors:sum
      expr: sum by (job) (http_errors_total)
    - alert: Errors
      expr: rate(job:http_errors:sum[5m]) > 1
      labels: {severity: warning}

Good
    - record: job:http_errors:rate5m
      expr: sum by (job) (rate(http_errors_total[5m]))
    - alert: Errors
      expr: job:http_errors:rate5m > 1
      labels: {severity: warning}
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.context import Context
from sentinel.lint.flaw import Flaw
from sentinel.lint.summary import Summary

SEVERITY = Severity.WARNING

_COUNTING = frozenset({"rate", "increase", "irate"})
#: An expression without its blanks that adds series up or chooses among them.
_AGGREGATES = re.compile(r"\(*(?:sum|avg|min|max)(?:(?:by|without)\([^()]*\))?\(")


def check(context: Context) -> Iterator[Flaw]:
    """Flag counting of a series that a rule of the tree records as a sum of what was not counted, or as a rate."""
    recorded = {rule.name: rule for rule in context.rules if rule.kind == "record"}
    if not recorded:
        return
    for rule in context.rules:
        for read in rule.reads:
            made = recorded.get(read.metric) if read.function in _COUNTING else None
            if made is not None and (what := _what(made)):
                says = f"{read.function}() of {read.metric}, which {what} at {made.position}"
                yield Flaw(rule.at(read.mark), says, "record the rate, and read it as it is")


def _what(made: Summary) -> str:
    """Return why a recorded series is no counter, "" where it may be one."""
    if any(read.function in _COUNTING for read in made.reads):
        return "is recorded as a rate"
    return "is recorded as a sum of counters" if _AGGREGATES.match(made.expr) and made.reads else ""
