"""promql/delta-of-counter: a counter should be read with functions that know restarts.

Why
    delta() and deriv() take values as they are. When a process starts anew its counters fall to 0, and these functions
    see a large decline where there was growth.

Bad
    - alert: Errors
      expr: delta(http_errors_total[5m]) > 100
      labels: {severity: warning}

Good
    - alert: Errors
      expr: increase(http_errors_total[5m]) > 100
      labels: {severity: warning}
"""

from __future__ import annotations

from collections.abc import Iterator

from sentinel.core.severity import Severity
from sentinel.lint.flaw import Flaw
from sentinel.lint.view import RuleView
from sentinel.promql.ast import MatrixSelector
from sentinel.promql.check import unwrap

SEVERITY = Severity.WARNING

_INSTEAD = {"delta": "increase", "idelta": "irate", "deriv": "rate"}
_COUNTERS = ("_total", "_bucket")


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag functions for gauges over metrics whose names are those of counters."""
    for query in rule.queries:
        for call in query.calls:
            if call.function not in _INSTEAD or not isinstance(window := unwrap(call.args[0]), MatrixSelector):
                continue
            if window.selector.name.endswith(_COUNTERS) and not window.anchored:
                instead = _INSTEAD[call.function]
                says = f"{window.selector.name} is a counter, and {call.function}() takes a restart for a fall"
                edit = query.edit(call.start, call.start + len(call.function), instead)
                yield Flaw(query.at(call), says, f"use {instead}()", edit)
