"""Emitted: which series a tree's probes are known to produce, and how often."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sentinel.core.regex import full_match
from sentinel.lint.context import Context
from sentinel.lint.summary import Reads

if TYPE_CHECKING:
    from sentinel.probes.base import ProbeKind
    from sentinel.probes.probe import Probe

#: What every run of a probe yields.
_RUN = ("probe_success", "probe_duration_seconds", "probe_consecutive_failures", "probe_failure")
#: What is kept of every rule of Prometheus.
_ALERTS = ("ALERTS", "ALERTS_FOR_STATE")
_EMITS = re.compile(r"^Emits.*\n((?:(?:    .*)?\n)*)", re.MULTILINE)
_METRIC = re.compile(r"\b(?:probe|job|host|container|scrape)_[a-z0-9_]+|\bup\b")
_COLUMN = re.compile(r'\bas\s+["`]?([A-Za-z_]\w*)', re.IGNORECASE)
_PLAIN_COLUMN = re.compile(r"\s*(?:[A-Za-z_]\w*\.)?([A-Za-z_]\w*)\s*")


class Emitted(NamedTuple):
    """What a tree produces.

    Args:
        by_probe: the names of each probe's series.
        open: the probes whose series nobody can know: a scrape's target says what it has.
        recorded: what recording rules write.
    """

    by_probe: Mapping[str, frozenset[str]]
    open: frozenset[str]
    recorded: frozenset[str]

    @property
    def names(self) -> frozenset[str]:
        """Everything that is known to be produced."""
        return frozenset().union(*self.by_probe.values(), self.recorded, _ALERTS)


def emitted(context: Context) -> Emitted:
    """Return what the probes and recording rules of a tree produce."""
    by_probe = {name: frozenset(_names(probe)) for name, probe in context.probes.items()}
    unknown = frozenset(name for name, probe in context.probes.items() if _is_open(probe))
    recorded = frozenset(rule.name for rule in context.rules if rule.kind == "record")
    return Emitted(by_probe, unknown, recorded)


def probes_behind(read: Reads, context: Context, made: Emitted) -> list[Probe]:
    """Return the probes whose series a selector may mean: by its metric, and by what it says of probe and job."""
    return [
        probe
        for name, probe in context.probes.items()
        if (name in made.open or not read.metric or read.metric in made.by_probe[name]) and _may_be(read, probe)
    ]


def interval_of(read: Reads, context: Context, made: Emitted) -> int:
    """Return how far apart the samples of a selector are at most, in milliseconds; 0 where nobody can know."""
    if not context.probes:
        return 0
    behind = probes_behind(read, context, made)
    named = [probe for probe in behind if probe.name not in made.open or _names_probe(read)]
    return max((round(probe.interval.total_seconds() * 1000) for probe in named), default=0)


def _may_be(read: Reads, probe: Probe) -> bool:
    """Say whether the conditions of a selector can hold for the series of a probe."""
    return all(
        _holds(op, value, probe.name if name in ("probe", "job") else probe.labels[name])
        for name, op, value in read.matchers
        if name in ("probe", "job") or name in probe.labels
    )


def _names_probe(read: Reads) -> bool:
    return any(name in ("probe", "job") and op == "=" for name, op, _ in read.matchers)


def _holds(op: str, wanted: str, value: str) -> bool:
    match op:
        case "=":
            return value == wanted
        case "!=":
            return value != wanted
        case "=~":
            return full_match(wanted, value)
        case _:
            return not full_match(wanted, value)


def _names(probe: Probe) -> Iterator[str]:
    yield from _documented(sys.modules[type(probe.kind).__module__].__doc__ or "")
    if probe.kind.REPORTS_RUN:
        yield from _RUN
    yield from _asked(probe.kind)


@cache
def _documented(page: str) -> frozenset[str]:
    """Return the names that a kind's page lists under Emits."""
    return frozenset(name for block in _EMITS.findall(page) for name in _METRIC.findall(block))


def documented_somewhere(metric: str) -> bool:
    """Say whether a kind of ours that the tree may not use produces a metric; kinds are read, not imported."""
    from sentinel.probes import KINDS

    for where in KINDS.values():
        spec = find_spec(where.partition(":")[0])
        source = Path(spec.origin).read_text(encoding="utf-8") if spec and spec.origin else ""
        if metric in _documented(source.split('"""')[1] if '"""' in source else ""):
            return True
    return metric in _RUN


def _asked(kind: ProbeKind) -> Iterator[str]:
    """Yield the names that a probe's own keys make: its metrics, those of its steps, the columns of its query."""
    for key in ("metrics", "header_metrics"):
        metrics = getattr(kind, key, None)
        for name, metric in metrics.items() if isinstance(metrics, Mapping) else ():
            yield name
            if getattr(metric, "observe", None):
                yield from (f"{name}{ending}" for ending in ("_bucket", "_count", "_sum"))
    steps = getattr(kind, "steps", None)
    for step in steps.values() if isinstance(steps, Mapping) else ():
        yield from _documented(sys.modules["sentinel.probes.http"].__doc__ or "")
        inner = getattr(step, "http", None)
        if inner is not None:
            yield from _asked(inner)
    if isinstance(query := getattr(kind, "query", None), str):
        yield from _columns(query)


def _columns(query: str) -> Iterator[str]:
    """Yield the names of a query's columns, as far as they are written as such."""
    yield from _COLUMN.findall(query)
    chosen = re.match(r"\s*select\s+(?:distinct\s+)?(.*?)\bfrom\b", query, re.IGNORECASE | re.DOTALL)
    for column in chosen[1].split(",") if chosen else ():
        if plain := _PLAIN_COLUMN.fullmatch(column):
            yield plain[1]


def _is_open(probe: Probe) -> bool:
    """Say whether a probe may produce names that stand nowhere in the tree."""
    module = type(probe.kind).__module__
    query = getattr(probe.kind, "query", "")
    star = isinstance(query, str) and re.search(r"select\s+(distinct\s+)?(\w+\.)?\*", query, re.IGNORECASE)
    return probe.kind_name == "scrape" or bool(star) or not module.startswith("sentinel.probes.")
