"""promql/rate-of-gauge: what goes up and down should not be counted.

Why
    rate(), increase() and their like take each fall for a restart of a counter, and count the whole value anew. Of a
    queue that drains and fills they make thousands that never were.

Bad
    - alert: Queue
      expr: increase(queue_depth[10m]) > 100
      labels: {severity: warning}

Bad too
    rate(node_memory_MemFree_bytes[5m]) > 1
    rate(up[5m]) < 1

Good
    - alert: Queue
      expr: delta(queue_depth[10m]) > 100
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

_COUNTING = frozenset({"rate", "increase", "irate", "resets"})
_COUNTERS = ("_total", "_count", "_sum", "_bucket")
#: What the names of values end in that go up and down.
_WORDS = """
    _ratio _percent _percentage _celsius _temperature _depth _queue_length _queue_size _backlog _pending
    _in_progress _in_flight _free _free_bytes _available _available_bytes _avail_bytes _used_bytes _usage_bytes
    _resident_memory_bytes _virtual_memory_bytes _memory_bytes _heap_bytes _limit _limit_bytes _capacity
    _utilization _utilisation _load1 _load5 _load15 _timestamp_seconds _start_time_seconds _info _open_fds _max_fds
    _goroutines _threads _temp
"""
_GAUGE_ENDS = tuple(_WORDS.split())
#: Others that nearly every tree has.
_KNOWN = frozenset({"up", "probe_success", "queue_depth", "go_goroutines", "node_load1", "temperature"})
_MEMORY = "node_memory_"


def check(rule: RuleView) -> Iterator[Flaw]:
    """Flag counting of metrics whose names are those of gauges; where a name says nothing, nothing is said."""
    for query in rule.queries:
        for call in query.calls:
            if call.function not in _COUNTING or not isinstance(window := unwrap(call.args[0]), MatrixSelector):
                continue
            name = window.selector.name
            if not name.endswith(_COUNTERS) and (name in _KNOWN or name.endswith(_GAUGE_ENDS) or _MEMORY in name):
                says = f"{name} goes up and down, and {call.function}() takes each fall for a restart"
                yield Flaw(query.at(call), says, _fix(call.function))


def _fix(function: str) -> str:
    return {
        "increase": "use delta() for how far it moved, or max_over_time() for how high it was",
        "resets": "use changes(), or compare with the value before: x < x offset 5m",
    }.get(function, "use deriv() for how fast it moves, or avg_over_time() for how high it was")
