"""Emitted: which series a tree's probes are known to produce, and how often."""

from __future__ import annotations

from sentinel.lint.context import Context
from sentinel.lint.summary import Reads


def interval_of(read: Reads, context: Context) -> int:
    """Return how far apart the samples of a selector are, in milliseconds; 0 where nobody can know."""
    for name, op, value in read.matchers:
        if name in ("probe", "job") and op == "=" and (probe := context.probes.get(value)) is not None:
            return round(probe.interval.total_seconds() * 1000)
    return 0
